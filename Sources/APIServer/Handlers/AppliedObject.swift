internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation

/// Reads the configuration of a server-side apply (kubernetes-wire S3).
struct AppliedObject {
  let request: APIRequest
  let validation: FieldValidation

  /// - Throws: 400 for what is no object of this kind and name, or carries managedFields; with Strict also for unknown and repeated fields.
  func checked(_ applied: JSONView) throws(StatusError) -> JSONValue {
    let group = request.services.configuration.group
    let kind = request.kind.kind
    guard applied.kind == .object else { throw .badRequest("error decoding YAML: the applied configuration is no object") }
    let given = (applied["apiVersion"]?.string ?? "", applied["kind"]?.string ?? "")
    guard given == (group.apiVersion, kind) else {
      throw .badRequest("invalid object type: \(given.0.contains("/") ? given.0 : "/" + given.0), Kind=\(given.1)")
    }
    if let managed = applied["metadata"]?["managedFields"], !managed.isNull { throw .badRequest("metadata.managedFields must be nil") }
    var object = try request.decoded(applied, validation) { why, isStrict in
      .badRequest(isStrict ? "error strict decoding YAML: \(why)" : "failed to create typed patch object: \(why)")
    }
    let name = object["metadata"]?["name"]?.string ?? ""
    guard name.isEmpty || name == request.info.name else {
      throw .otherName(name, inURL: request.info.name)
    }
    let namespace = object["metadata"]?["namespace"]?.string ?? ""
    guard namespace.isEmpty || namespace == request.namespace else {
      throw .otherNamespace
    }
    object["metadata"] = object["metadata"] ?? .emptyObject
    object["metadata"]?["name"] = .string(request.info.name)
    object["metadata"]?["namespace"] = .string(request.namespace)
    return object
  }
}
