internal import HTTPMessage
internal import KubeWire
internal import Translation

/// GET of one object, and of its `status`.
struct GetHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    try request.refuseExport()
    let form = try request.form(for: .object)
    let object = try await request.services.gateway.get(
      request.resource, namespace: request.namespace, name: request.info.name, options: try GetOptions(query: request.query),
      context: request.context)
    return .json(request.encoder(form).object(object))
  }
}
