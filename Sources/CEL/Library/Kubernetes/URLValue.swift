internal import OrderedCollections

/// An absolute URI, or an absolute path; as Go reads a request's URI.
final class URLValue: CELOpaque {
  let spelling: String
  let scheme: String
  /// Host and port.
  let host: String
  /// With its escapes.
  let path: String
  let query: String

  init?(_ text: String) {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
    var rest = text[...]
    var scheme = ""
    if !rest.hasPrefix("/") {
      guard let colon = rest.firstIndex(of: ":") else { return nil }
      let name = rest[..<colon].utf8
      guard let first = name.first, (first | 0x20) &- 0x61 < 26,
        name.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || [0x2B, 0x2D, 0x2E].contains($0) })
      else { return nil }
      scheme = rest[..<colon].lowercased()
      rest = rest[rest.index(after: colon)...]
    }
    if let mark = rest.firstIndex(of: "?") {
      query = String(rest[rest.index(after: mark)...])
      rest = rest[..<mark]
    } else {
      query = ""
    }
    if rest.hasPrefix("//"), !scheme.isEmpty {
      rest = rest.dropFirst(2)
      let end = rest.firstIndex(of: "/") ?? rest.endIndex
      var authority = rest[..<end]
      if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
      guard Self.isHost(authority) else { return nil }
      host = String(authority)
      rest = rest[end...]
    } else {
      // `scheme:opaque` is no request URI.
      guard rest.hasPrefix("/") else { return nil }
      host = ""
    }
    guard Self.hasGoodEscapes(rest) else { return nil }
    path = String(rest)
    self.scheme = scheme
    spelling = text
  }

  private static func hasGoodEscapes(_ text: Substring) -> Bool {
    let bytes = Array(text.utf8)
    for i in bytes.indices where bytes[i] == 0x25 {
      guard i + 2 < bytes.count, Character(UnicodeScalar(bytes[i + 1])).isHexDigit, Character(UnicodeScalar(bytes[i + 2])).isHexDigit else {
        return false
      }
    }
    return true
  }

  private static func isHost(_ text: Substring) -> Bool {
    var port = text[...]
    if text.hasPrefix("[") {
      guard let end = text.lastIndex(of: "]") else { return false }
      port = text[text.index(after: end)...]
    } else {
      port = text.lastIndex(of: ":").map { text[$0...] } ?? ""
      guard !text.utf8.contains(where: { "<>\"{}|\\^`".utf8.contains($0) }) else { return false }
    }
    return port.isEmpty || (port.hasPrefix(":") && port.dropFirst().utf8.allSatisfy { $0 &- 0x30 < 10 })
  }

  var typeName: String { "kubernetes.URL" }
  func isEqual(to other: any CELOpaque) -> Bool { (other as? URLValue)?.spelling == spelling }
  var text: String? { spelling }

  var hostname: String {
    if host.hasPrefix("["), let end = host.lastIndex(of: "]") { return String(host[host.index(after: host.startIndex)..<end]) }
    return String(host.prefix { $0 != ":" })
  }

  var port: String {
    guard let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") else { return "" }
    return String(host[host.index(after: colon)...])
  }

  /// Parameters in order; what cannot be decoded is left out.
  var parameters: CELValue {
    var entries: OrderedDictionary<String, [CELValue]> = [:]
    for pair in query.split(separator: "&") where !pair.contains(";") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : "") else { continue }
      entries[name, default: []].append(.string(value))
    }
    var map = CELMap.Entries()
    for (name, values) in entries { map[.string(name)] = .list(values) }
    return .map(CELMap(map))
  }

  private static func decoded(_ text: Substring) -> String? {
    guard hasGoodEscapes(text) else { return nil }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var i = 0
    while i < bytes.count {
      if bytes[i] == 0x25 {
        out.append(UInt8(String(decoding: bytes[i + 1...i + 2], as: UTF8.self), radix: 16)!)
        i += 3
      } else {
        out.append(bytes[i] == 0x2B ? 0x20 : bytes[i])
        i += 1
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
