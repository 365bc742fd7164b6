internal import Compression
internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import YAMLText

/// The last step of every answer: YAML or pretty JSON where the client wants it, and gzip for what is large. Handlers know of none of it.
enum ContentCoding {
  /// Smaller bodies gain nothing that a client would notice (kubernetes-wire N9).
  private static let minimumToCompress = 128 << 10

  static func apply(to response: inout HTTPResponse, for request: HTTPRequest) {
    guard case .bytes(var bytes) = response.body, !bytes.isEmpty else { return }
    if response.headers["Content-Type"] == "application/json" {
      if response.status < 400, AcceptHeader(request.headers["Accept"]).prefersYAML, let value = try? JSONValue(parsing: bytes) {
        bytes = Array(YAMLText.text(value).utf8)
        response.headers["Content-Type"] = "application/yaml"
      } else if wantsPretty(request) {
        bytes = JSONPretty.print(bytes) + [0x0A]
      }
    }
    if response.status < 400, bytes.count > minimumToCompress, response.headers["Content-Encoding"] == nil {
      response.headers.add("Vary", "Accept-Encoding")
      if takesGzip(request), let compressed = Gzip.compressed(bytes) {
        bytes = compressed
        response.headers["Content-Encoding"] = "gzip"
      }
    }
    response.body = .bytes(bytes)
  }

  /// kubernetes-wire N10.
  private static func wantsPretty(_ request: HTTPRequest) -> Bool {
    if let wish = QueryParameters(request.query)["pretty"] { return wish == "true" || wish == "1" }
    let agent = request.headers["User-Agent"] ?? ""
    return ["curl", "Wget", "Mozilla"].contains { agent.hasPrefix($0) }
  }

  private static func takesGzip(_ request: HTTPRequest) -> Bool {
    request.headers.all("Accept-Encoding").contains { AcceptHeader($0).clauses.contains { $0.type == "gzip" } }
  }
}
