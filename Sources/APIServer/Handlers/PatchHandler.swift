internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation

/// PATCH of one object by a merge patch (RFC 7386). What a Workflow cannot change after submission, and everything of the kinds that are read-only, is
/// refused by field; a patch that changes nothing is answered with the object, as `kubectl apply` of an unchanged manifest wants it.
struct PatchHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    guard case .merge(let patch) = try BodyDecoder(request: request).patch() else {
      throw .unsupportedMediaType(accepted: APIGroup.patchMediaTypes)
    }
    let options = try WriteOptions(query: request.query, kind: "PatchOptions")
    if request.query.bool("force") {
      throw .invalidOptions("PatchOptions", [.forbidden("force", "may not be specified for non-apply patch")])
    }
    guard patch.object != nil else { throw .badRequest("error decoding patch: a merge patch of an object is an object") }
    let kind = request.kind
    let group = request.services.configuration.group.name
    let name = request.info.name
    let change: @Sendable (StoredObject, JSONValue) throws(StatusError) -> JSONValue = { object, current throws(StatusError) in
      try Self.wanted(patch, object, current, plural: kind.plural, group: group, name: name)
    }
    let gateway = request.services.gateway
    if request.resource == .workflows {
      let object = try await gateway.update(
        namespace: request.namespace, name: name, options: options, context: request.context, change: change)
      return .json(request.encoder(form).object(object))
    }
    let object = try await gateway.get(
      request.resource, namespace: request.namespace, name: name, options: GetOptions(), context: request.context)
    let before: JSONValue = .object(["metadata": .object(object.draft.metadata), "spec": object.draft.content["spec"] ?? .emptyObject])
    guard try change(object, before) == before else {
      throw .methodNotSupported("patch", resource: kind.plural, group: group, advice: "it shows what the engine has; change it there")
    }
    return .json(request.encoder(form).object(object))
  }

  /// The object that the patch asks for: metadata and spec.
  private static func wanted(
    _ patch: JSONValue, _ object: StoredObject, _ current: JSONValue, plural: String, group: String, name: String
  ) throws(StatusError) -> JSONValue {
    if let version = patch["metadata"]?["resourceVersion"]?.string, version != String(object.version) {
      throw .conflict(resource: plural, group: group, name: name)
    }
    if let uid = patch["metadata"]?["uid"]?.string, uid != object.draft.uid {
      throw .conflict(
        resource: plural, group: group, name: name, reason: "the UID in the patch (\(uid)) is not that of the object (\(object.draft.uid))")
    }
    if let other = patch["metadata"]?["name"]?.string, other != name {
      throw .badRequest("the name of the object (\(other)) does not match the name on the URL (\(name))")
    }
    // The status is not changed through this path, and what the server owns in the metadata keeps its value (kubernetes-wire C15, C16).
    var wish = JSONObject()
    for member in ["metadata", "spec"] { if let value = patch[member] { wish[member] = value } }
    if wish["metadata"]?.object != nil {
      for owned in ["creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp", "resourceVersion"] {
        wish["metadata"]?[owned] = nil
      }
    }
    return current.merging(patch: .object(wish))
  }
}
