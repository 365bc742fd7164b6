internal import HTTPMessage
internal import KubeWire
internal import Translation

/// POST …/retry: runs a finished run again. Where the engine makes a new run of it, the answer is a new object.
struct RetryHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    let options = try WriteOptions(query: request.query, kind: "CreateOptions")
    let object = try await request.services.gateway.retry(
      namespace: request.namespace, name: request.info.name, options: options, context: request.context)
    return .json(request.encoder(form).object(object), status: 201)
  }
}
