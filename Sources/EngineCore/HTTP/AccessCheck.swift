internal import NIOHTTP1

/// Who may speak to the engine: holders of the token, from programs, on this machine. A browser that was led here by a foreign page gives
/// itself away by Origin, or by the foreign name in Host.
struct AccessCheck: Sendable {
  let token: BearerToken

  /// - Throws: 400, 401 or 403.
  func check(_ head: HTTPRequestHead, isOpen: Bool) throws(EngineError) {
    let hosts = head.headers["host"]
    guard hosts.count == 1 || (hosts.isEmpty && head.version.major == 1 && head.version.minor == 0) else {
      throw EngineError(status: 400, code: "badRequest", message: "exactly one Host header is needed")
    }
    if let host = hosts.first, !Self.isLoopback(host) {
      throw EngineError(
        status: 403, code: "foreignHost", message: "the Host header must name this machine's loopback, as in 127.0.0.1 or localhost")
    }
    if head.headers.contains(name: "origin") {
      throw EngineError(status: 403, code: "foreignOrigin", message: "requests of web pages are refused")
    }
    if isOpen { return }
    let authorization = head.headers["authorization"]
    guard authorization.count == 1, token.matches(authorization: authorization[0]) else {
      throw EngineError(
        status: 401, code: "unauthorized",
        message: authorization.isEmpty ? "Authorization: Bearer with the engine's token is needed" : "the token is not this engine's")
    }
  }

  /// `localhost`, `127.x.y.z` or `[::1]`, with any port; nothing else, whatever it may resolve to.
  static func isLoopback(_ host: String) -> Bool {
    var name = host.lowercased()
    if name.hasPrefix("[") {
      guard let end = name.firstIndex(of: "]"), isPort(name[name.index(after: end)...]) else { return false }
      return name[..<end] == "[::1"
    }
    if let colon = name.lastIndex(of: ":") {
      guard isPort(name[colon...]) else { return false }
      name = String(name[..<colon])
    }
    if name == "localhost" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.isEmpty || (text.first == ":" && UInt16(text.dropFirst()) != nil)
  }
}
