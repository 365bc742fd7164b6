package import AdapterKit
internal import JSON
internal import OrderedCollections

/// The cluster-scoped WorkflowBackend of one backend: is it reachable, are our credentials good, do we know its runs.
package struct BackendProjection: Sendable {
  package let name: String
  package let url: String
  package let traits: AdapterTraits

  package init(name: String, url: String, traits: AdapterTraits) {
    self.name = name
    self.url = url
    self.traits = traits
  }

  /// - Parameter bindings: the conditions that each binding's reconciler reports; the worst of each type is shown.
  package func draft(_ bindings: [BackendConditions]) -> ObjectDraft {
    let types: [(String, KeyPath<BackendConditions, BackendConditions.Condition>)] = [
      ("Reachable", \.reachable), ("Authenticated", \.authenticated), ("Synced", \.synced),
    ]
    let conditions = types.map { type, path in (type: type, worst: Self.worst(bindings.map { $0[keyPath: path] })) }
    let uid = EngineNames.uid(backend: name, identity: "backend")
    let version = bindings.lazy.compactMap(\.engineVersion).first
    var status: JSONObject = ["conditions": .array(conditions.map { Self.json($0.type, $0.worst) })]
    if let version { status["engineVersion"] = .string(version) }
    let message = conditions.compactMap(\.worst).first { $0.status == false }?.message ?? ""
    return ObjectDraft(
      resource: .workflowbackends, namespace: "", name: name, uid: uid, labels: [:], fields: ["metadata.name": name],
      metadata: ["name": .string(name), "uid": .string(uid), "creationTimestamp": .string(UntoldCreation.timestamp), "generation": 1],
      content: [
        "spec": [
          "adapter": .string(traits.name), "engine": .string(traits.engine), "adapterVersion": .string(traits.version), "url": .string(url),
        ],
        "status": .object(status),
      ],
      cells: [
        .value(.string(name)), .value(.string(traits.name)), .value(.string(version ?? "")),
        .value(.string(Self.word(conditions[0].worst))),
        .value(.string(Self.word(conditions[1].worst))), .value(.string(Self.word(conditions[2].worst))), UntoldCreation.age,
        .value(.string(message)),
      ])
  }

  /// False before Unknown before True; nil where no binding has reported.
  private static func worst(_ conditions: [BackendConditions.Condition]) -> BackendConditions.Condition? {
    conditions.first { $0.status == false } ?? conditions.first { $0.status == nil } ?? conditions.first
  }

  private static func word(_ condition: BackendConditions.Condition?) -> String {
    condition?.status.map { $0 ? "True" : "False" } ?? "Unknown"
  }

  private static func json(_ type: String, _ condition: BackendConditions.Condition?) -> JSONValue {
    var members: JSONObject = [
      "type": .string(type), "status": .string(word(condition)), "reason": .string(condition?.reason ?? "NotAsked"),
      "message": .string(condition?.message ?? ""),
    ]
    if let condition { members["lastTransitionTime"] = .string(condition.since.rfc3339Seconds) }
    return .object(members)
  }
}
