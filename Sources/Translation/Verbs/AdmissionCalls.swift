internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

extension Gateway {
  /// A write of one Workflow as admission plugins see it; objects are filled in where they are known.
  func attributes(
    _ operation: AdmissionAttributes.Operation, _ subresource: String = "", namespace: String, name: String, _ context: RequestContext,
    options: JSONValue, dryRun: Bool
  ) -> AdmissionAttributes {
    AdmissionAttributes(
      operation: operation, resource: .workflows, subresource: subresource, namespace: namespace, name: name, object: nil, oldObject: nil,
      options: options, dryRun: dryRun, context: context, uid: EngineNames.randomUID(random(16)))
  }

  func attributes(
    _ operation: AdmissionAttributes.Operation, _ subresource: String = "", _ object: StoredObject, _ context: RequestContext,
    _ options: WriteOptions, _ kind: String
  ) -> AdmissionAttributes {
    attributes(
      operation, subresource, namespace: object.draft.namespace, name: object.draft.name, context, options: Self.json(options, kind),
      dryRun: options.dryRun)
  }

  static func json(_ options: WriteOptions, _ kind: String) -> JSONValue {
    var json: JSONObject = ["kind": .string(kind), "apiVersion": "meta.k8s.io/v1"]
    if options.dryRun { json["dryRun"] = ["All"] }
    if !options.fieldManager.isEmpty { json["fieldManager"] = .string(options.fieldManager) }
    json["fieldValidation"] = .string(options.fieldValidation.rawValue)
    return .object(json)
  }

  static func json(_ options: DeleteOptions) -> JSONValue {
    var json: JSONObject = ["kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"]
    if options.dryRun { json["dryRun"] = ["All"] }
    if let seconds = options.gracePeriodSeconds { json["gracePeriodSeconds"] = .int(Int64(seconds)) }
    if let policy = options.propagationPolicy { json["propagationPolicy"] = .string(policy.rawValue) }
    if let orphan = options.orphanDependents { json["orphanDependents"] = .bool(orphan) }
    var preconditions = JSONObject()
    if let uid = options.preconditions.uid { preconditions["uid"] = .string(uid) }
    if let version = options.preconditions.resourceVersion { preconditions["resourceVersion"] = .string(version) }
    if !preconditions.isEmpty { json["preconditions"] = .object(preconditions) }
    return .object(json)
  }

  /// Tells the audit log which run of which engine was touched.
  func note(_ bound: Bound, _ key: RunKey, _ context: RequestContext) {
    context.noteAlso("\(group)/backend", bound.info.backend)
    context.noteAlso("\(group)/run-id", key.description)
  }
}
