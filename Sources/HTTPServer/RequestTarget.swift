/// The path and query of a request line or `:path`. An absolute URL, as proxies send it, loses its scheme and authority.
struct RequestTarget {
  let path: String
  let query: String

  /// Nil when there is no path that begins with "/".
  init?(_ text: String) {
    var rest = Substring(text)
    for scheme in ["http://", "https://"] where rest.lowercased().hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
      rest = rest.firstIndex { $0 == "/" || $0 == "?" }.map { rest[$0...] } ?? "/"
      if rest.first == "?" { rest = "/" + rest }
    }
    guard rest.utf8.first == UInt8(ascii: "/") else { return nil }
    if let fragment = rest.utf8.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<fragment] }
    if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
      path = String(rest[..<mark])
      query = String(rest[rest.utf8.index(after: mark)...])
    } else {
      path = String(rest)
      query = ""
    }
  }
}
