internal import HTTPMessage
internal import JSON
internal import KubeWire

extension HTTPResponse {
  /// Ends with a line feed, as the answers of every API server do: `kubectl get --raw` shows them as they are.
  static func json(_ bytes: consuming [UInt8], status: Int = 200) -> HTTPResponse {
    bytes.append(0x0A)
    return HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(bytes))
  }

  static func text(_ text: String, status: Int = 200) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: ["Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"],
      body: .bytes(Array(text.utf8)))
  }

  /// The one place where a refusal becomes an answer. It is JSON whatever was asked for (kubernetes-wire N8).
  init(_ error: StatusError) {
    self = .json(error.status.json, status: error.status.code)
    for (name, value) in error.headers.sorted(by: { $0.key < $1.key }) { headers[name] = value }
    if let seconds = error.retryAfter { headers["Retry-After"] = String(seconds) }
  }
}
