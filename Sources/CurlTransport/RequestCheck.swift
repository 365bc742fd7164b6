import AdapterKit

/// A request that was found fit to be handed to libcurl, which would otherwise take a line break inside a header for the next header.
struct CheckedRequest: Sendable {
  var request: TransportRequest
  /// `http` or `https`.
  var scheme: String
  /// `host` or `host:port`, for messages; never with user information.
  var host: String
  /// The host without its port; IPv6 in brackets.
  var hostName: String
  /// What follows the authority in the URL.
  var target: String
  var timeoutMilliseconds: Int

  /// Only these may be sent again by libcurl, when a kept connection turns out to be dead.
  var isRead: Bool { ["GET", "HEAD", "OPTIONS"].contains(request.method) }

  /// - Throws: `.invalidRequest` naming what is wrong, without quoting it where it may be secret.
  init(_ request: TransportRequest) throws(TransportError) {
    func invalid(_ message: String) -> TransportError { TransportError(.invalidRequest, message, mayHaveBeenSent: false) }
    guard !request.method.isEmpty, request.method.utf8.allSatisfy(isTokenByte) else {
      throw invalid("the method is not a legal HTTP method")
    }
    guard let separator = request.url.range(ofASCII: "://"), request.url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw invalid("the URL is not absolute, or has a space or control character in it")
    }
    let scheme = request.url[..<separator.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else { throw invalid("the URL's scheme is neither http nor https") }
    let authority = request.url[separator.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
    guard !host.isEmpty else { throw invalid("the URL has no host") }
    for (name, value) in request.headers {
      guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else { throw invalid("a header name is not legal") }
      guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
        throw invalid("the value of header \(name) has a control character in it")
      }
      if ["content-length", "transfer-encoding"].contains(name.lowercased()) {
        throw invalid("header \(name) is the transport's own business")
      }
    }
    let (seconds, attoseconds) = request.timeout.components
    guard request.timeout > .zero else { throw TransportError(.timeout, "no time was left to ask \(host)", mayHaveBeenSent: false) }
    self.request = request
    self.scheme = scheme
    self.host = String(host)
    hostName =
      host.hasPrefix("[") ? host.firstIndex(of: "]").map { String(host[...$0]) } ?? self.host : String(host.prefix { $0 != ":" })
    target = String(request.url[authority.endIndex...])
    // At least 1, because 0 means no limit to libcurl; at most 24 days, because it counts in 32 bits here and there.
    timeoutMilliseconds = max(1, Int(min(seconds, 2_000_000)) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
  }
}

/// RFC 9110, 5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
  case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
  default: false
  }
}

extension String {
  fileprivate func range(ofASCII text: String) -> Range<String.Index>? {
    var start = startIndex
    while start != endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
