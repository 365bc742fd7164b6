internal import HTTPMessage
internal import KubeWire
internal import Translation

/// DELETE of a collection: the answer lists what was deleted (kubernetes-wire C28).
struct DeleteCollectionHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .list)
    let result = try await request.services.gateway.deleteCollection(
      namespace: request.namespace, list: try request.listOptions(), options: try BodyDecoder(request: request).deleteOptions(),
      context: request.context)
    return .json(request.encoder(form).list(result))
  }
}
