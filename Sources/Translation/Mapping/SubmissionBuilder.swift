internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// Makes the engine's submission, with its envelope, of a Workflow that passed every check.
struct SubmissionBuilder {
  let apiVersion: String
  let binding: BindingInfo
  /// The engine's name of the template; nil for inline steps.
  let engineTemplate: String?
  let signingKey: [UInt8]?

  /// - Parameter manager: who owns the fields of the object, and whether it was applied; nil for an empty name.
  func build(name: String, uid: String, object: JSONValue, requestedBy: String, manager: WriteManager, now: Timestamp) -> (
    Submission, Envelope
  ) {
    let spec = object["spec"] ?? .emptyObject
    var envelope = Envelope(
      apiVersion: apiVersion, namespace: binding.namespace, name: name, uid: uid, submittedAt: now,
      labels: Envelope.strings(object["metadata"]?["labels"]), annotations: Envelope.strings(object["metadata"]?["annotations"]),
      ownerReferences: object["metadata"]?["ownerReferences"],
      finalizers: object["metadata"]?["finalizers"]?.array?.compactMap(\.string) ?? [], manager: manager.name.isEmpty ? nil : manager.name,
      managerOperation: manager.name.isEmpty ? nil : manager.operation.rawValue, requestedBy: requestedBy, spec: spec)
    if let base = object["metadata"]?["generateName"]?.string, !base.isEmpty { envelope.generateName = base }
    if let signingKey { envelope.sign(backend: binding.backend, key: signingKey) }
    let submission = Submission(
      key: Self.key(namespace: binding.namespace, name: name), uid: uid, template: engineTemplate,
      parameters: spec["parameters"]?.object ?? [:],
      steps: (spec["steps"]?.array ?? []).map(Self.step), timeout: spec["timeout"]?.string.flatMap(GoDuration.parse),
      schedule: spec["schedule"]?.string, suspended: spec["suspend"]?.bool ?? false, envelope: envelope.json, requestedBy: requestedBy,
      scope: binding.scope)
    return (submission, envelope)
  }

  /// A namespace has no dot, so the two cannot run into each other.
  static func key(namespace: String, name: String) -> String { "\(namespace).\(name)" }

  private static func step(_ json: JSONValue) -> InlineStep {
    InlineStep(
      name: json["name"]?.string ?? "", image: json["image"]?.string, command: json["command"]?.array?.compactMap(\.string) ?? [],
      args: json["args"]?.array?.compactMap(\.string) ?? [],
      environment: (json["env"]?.array ?? []).map { .init(name: $0["name"]?.string ?? "", value: $0["value"]?.string ?? "") })
  }
}
