internal import HTTPMessage
internal import KubeWire
internal import Translation

/// DELETE of one object (kubernetes-wire §7.5).
struct DeleteHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    let result = try await request.services.gateway.delete(
      namespace: request.namespace, name: request.info.name, options: try BodyDecoder(request: request).deleteOptions(),
      context: request.context)
    switch result {
    case .gone(let uid):
      let status = Status.deleted(
        resource: request.kind.plural, group: request.services.configuration.group.name, name: request.info.name, uid: uid)
      return .json(status.json)
    case .pending(let object): return .json(request.encoder(form).object(object))
    }
  }
}
