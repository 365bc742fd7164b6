internal import HTTPMessage
internal import KubeWire
internal import Translation

/// DELETE of one object (kubernetes-wire §7.5).
struct DeleteHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    let options = try BodyDecoder(request: request).deleteOptions()
    let result = try await request.services.gateway.delete(
      namespace: request.namespace, name: request.info.name, options: options, context: request.context)
    switch result {
    case .gone(let uid):
      let status = Status.deleted(
        resource: request.kind.plural, group: request.services.configuration.group.name, name: request.info.name, uid: uid)
      return .json(status.json)
    case .pending(let object):
      // As DeleteResource of a generic apiserver answers those who asked for a cascade in its old spelling.
      return .json(request.encoder(form).object(object), status: options.orphanDependents == false ? 202 : 200)
    }
  }
}
