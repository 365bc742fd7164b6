import CEL

/// What the expressions of policies and webhooks can name.
enum ExpressionEnvironment {
  /// - Parameters:
  ///   - params: whether the policy has a paramKind.
  ///   - authorizer: false for messages.
  ///   - objects: whether `Object{…}` and `JSONPatch{…}` can be written.
  static func make(params: Bool = false, authorizer: Bool = true, objects: Bool = false) -> CELEnvironment {
    var environment = CELEnvironment()
    environment.declare("object", .dyn)
    environment.declare("oldObject", .dyn)
    environment.declare("request", request)
    environment.declare("namespaceObject", .nullable(namespace))
    if params { environment.declare("params", .dyn) }
    if authorizer {
      environment.declare("authorizer", .authorizer)
      environment.declare("authorizer.requestResource", .resourceCheck)
    }
    if objects { environment.objectTypes = ["Object", "JSONPatch"] }
    return environment
  }

  private static func object(_ name: String, _ fields: [String: CELType]) -> CELType {
    .object(CELSchema(name: "kubernetes." + name, fields: fields))
  }

  private static let request: CELType = {
    let kind = object("GroupVersionKind", ["group": .string, "version": .string, "kind": .string])
    let resource = object("GroupVersionResource", ["group": .string, "version": .string, "resource": .string])
    let user = object(
      "UserInfo", ["username": .string, "uid": .string, "groups": .list(.string), "extra": .map(.string, .list(.string))])
    return object(
      "AdmissionRequest",
      [
        "kind": kind, "resource": resource, "subResource": .string, "requestKind": kind, "requestResource": resource,
        "requestSubResource": .string, "name": .string, "namespace": .string, "operation": .string, "userInfo": user, "dryRun": .bool,
        "options": .dyn,
      ])
  }()

  private static let namespace: CELType = {
    let condition = object(
      "NamespaceCondition",
      ["status": .string, "type": .string, "lastTransitionTime": .timestamp, "message": .string, "reason": .string])
    let metadata = object(
      "NamespaceMetadata",
      [
        "name": .string, "generateName": .string, "namespace": .string, "labels": .map(.string, .string),
        "annotations": .map(.string, .string),
        "UID": .string, "creationTimestamp": .timestamp, "deletionGracePeriodSeconds": .int, "deletionTimestamp": .timestamp,
        "generation": .int, "resourceVersion": .string, "finalizers": .list(.string),
      ])
    return object(
      "Namespace",
      [
        "metadata": metadata, "spec": object("NamespaceSpec", ["finalizers": .list(.string)]),
        "status": object("NamespaceStatus", ["conditions": .list(condition), "phase": .string]),
      ])
  }()
}
