internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation

/// PUT of one object or of its status, with optimistic locking (kubernetes-wire C13 to C17).
struct UpdateHandler: Handler {
  /// Empty or status.
  var subresource = ""

  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    let options = try WriteOptions(query: request.query, kind: "UpdateOptions")
    let object = try BodyDecoder(request: request).object(options.fieldValidation)
    let name = request.info.name
    let given = object["metadata"]?["name"]?.string ?? ""
    guard !given.isEmpty else {
      throw .badRequest("the name of the object (\(name) based on URL) was undeterminable: name must be provided")
    }
    guard given == name else {
      throw .otherName(given, inURL: name)
    }
    let kind = request.kind.kind
    let group = request.services.configuration.group.name
    let result = try await request.services.gateway.update(
      namespace: request.namespace, name: name,
      request: UpdateRequest(
        .replace { _ throws(StatusError) in
          // "0" is none: no object has that version.
          guard !["", "0"].contains(object["metadata"]?["resourceVersion"]?.string ?? "") else {
            throw .invalid(
              kind: kind, group: group, name: name, errors: [.invalid("metadata.resourceVersion", 0, "must be specified for an update")])
          }
          return object
        }, subresource: subresource, options: options, manager: request.manager(options)),
      context: request.context)
    return .json(request.encoder(form).object(result.object))
  }
}
