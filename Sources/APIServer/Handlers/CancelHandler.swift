internal import HTTPMessage
internal import KubeWire
internal import Translation

/// POST …/cancel: stops an active run.
struct CancelHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    let options = try WriteOptions(query: request.query, kind: "CreateOptions")
    let object = try await request.services.gateway.cancel(
      namespace: request.namespace, name: request.info.name, options: options, context: request.context)
    return .json(request.encoder(form).object(object), status: 201)
  }
}
