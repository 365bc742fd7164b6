internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation

/// PATCH of one object. A merge patch that changes nothing is answered with the object, as `kubectl apply` of an unchanged manifest wants it;
/// what would change something is refused with the fields that cannot be changed.
struct PatchHandler: Handler {
  func handle(_ request: APIRequest) async throws(StatusError) -> HTTPResponse {
    let form = try request.form(for: .object)
    let patch = try BodyDecoder(request: request).patch()
    _ = try WriteOptions(query: request.query, kind: "PatchOptions")
    if request.query.bool("force") {
      throw .invalidOptions("PatchOptions", [.forbidden("force", "may not be specified for non-apply patch")])
    }
    guard patch.object != nil else { throw .badRequest("error decoding patch: a merge patch of an object is an object") }
    let object = try await request.services.gateway.get(
      request.resource, namespace: request.namespace, name: request.info.name, options: GetOptions(), context: request.context)
    try check(patch, against: object, request)
    return .json(request.encoder(form).object(object))
  }

  private func check(_ patch: JSONValue, against object: StoredObject, _ request: APIRequest) throws(StatusError) {
    let group = request.services.configuration.group
    if let version = patch["metadata"]?["resourceVersion"]?.string, version != String(object.version) {
      throw .conflict(resource: request.kind.plural, group: group.name, name: request.info.name)
    }
    if let name = patch["metadata"]?["name"]?.string, name != request.info.name {
      throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(request.info.name))")
    }
    let current: JSONValue
    do throws(JSONError) {
      current = try JSONValue(parsing: object.json)
    } catch {
      throw .internalError("the stored object cannot be read: \(error.reason)")
    }
    // The status is not changed through this path, and what the server owns in the metadata keeps its value (kubernetes-wire C15, C16).
    var wish = patch
    wish["status"] = nil
    for name in ["creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp", "resourceVersion"] {
      if wish["metadata"] != nil { wish["metadata"]?[name] = nil }
    }
    let changed = Self.differences(current, current.merging(patch: wish), at: "")
    guard changed.isEmpty else {
      throw .invalid(
        kind: request.kind.kind, group: group.name, name: request.info.name,
        errors: changed.map { .forbidden($0, "cannot be changed after creation: this server takes no updates of it") })
    }
  }

  /// The paths at which two values differ, as deep as both are objects.
  static func differences(_ a: JSONValue, _ b: JSONValue, at path: String) -> [String] {
    guard a != b else { return [] }
    guard case .object(let left) = a, case .object(let right) = b else { return [path] }
    var names = Array(left.keys)
    names += right.keys.filter { left[$0] == nil }
    return names.flatMap { name in differences(left[name] ?? .null, right[name] ?? .null, at: path.isEmpty ? name : "\(path).\(name)") }
  }
}
