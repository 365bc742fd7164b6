internal import HTTPMessage
internal import KubeWire

/// Answers one verb: reads the request, asks the gateway, writes the answer. No engine words.
protocol Handler: Sendable {
  /// - Throws: the refusal; the responder turns it into an answer, at one place.
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse
}
