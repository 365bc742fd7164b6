internal import HTTPMessage
internal import KubeWire
internal import Translation

/// GET of a collection.
struct ListHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    try request.refuseExport()
    let form = try request.form(for: .list)
    let result = try await request.services.gateway.list(
      request.resource, namespace: request.info.namespace, options: try request.listOptions(), context: request.context)
    return .json(request.encoder(form).list(result))
  }
}
