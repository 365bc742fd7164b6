internal import AdapterKit
internal import JSON
internal import OrderedCollections

/// Turns what is known of one run into the Workflow that represents it.
///
/// Ids, states and times are the engine's; name, uid, labels and spec are the envelope's where the run owns one. The result depends on nothing
/// else, so every replica and every restart makes the same object of the same run.
struct WorkflowProjection: Sendable {
  let group: String
  let binding: BindingInfo

  /// nil when the run is not to be shown: it was deleted here and the binding retains it in the engine.
  func draft(_ run: KnownRun, core: RunCore, envelope: Envelope?) -> ObjectDraft? {
    let overlay = Overlay(run.overlay)
    guard !overlay.hidden else { return nil }
    let name = envelope?.name ?? EngineNames.runName(template: core.template, id: run.key.id, identity: run.identity)
    let uid = envelope?.uid ?? EngineNames.uid(backend: binding.backend, identity: run.identity)
    let created = core.createdAt ?? envelope?.submittedAt ?? core.startedAt
    let spec = spec(core, envelope, overlay)
    let status = WorkflowStatus(run: run, core: core, overlay: overlay, binding: binding, uid: uid)
    let labels = labels(run, core, envelope, overlay)
    return ObjectDraft(
      resource: .workflows, namespace: binding.namespace, name: name, uid: uid, labels: labels,
      fields: [
        "metadata.name": name, "metadata.namespace": binding.namespace, "status.phase": status.phase.rawValue,
        "spec.templateRef.name": spec["templateRef"]?["name"]?.string ?? "", "spec.backend": binding.backend,
      ],
      metadata: metadata(name: name, uid: uid, created: created, labels: labels, envelope: envelope, overlay: overlay),
      content: ["spec": spec, "status": status.json],
      cells: [
        .value(.string(name)), .value(.string(spec["templateRef"]?["name"]?.string ?? "<inline>")), .value(.string(status.phaseCell)),
        .value(.string(status.progress ?? "")), .since(core.startedAt), .between(core.startedAt, status.completionTime), .since(created),
        .value(.string(binding.backend)), .value(.string(run.key.description)), .value(.string(core.url ?? "")),
        .value(.string(status.messageCell)),
      ])
  }

  private func metadata(
    name: String, uid: String, created: Timestamp?, labels: [String: String], envelope: Envelope?, overlay: Overlay
  ) -> JSONObject {
    var metadata: JSONObject = ["name": .string(name), "namespace": .string(binding.namespace), "uid": .string(uid)]
    if let created { metadata["creationTimestamp"] = .string(created.rfc3339Seconds) }
    metadata["generation"] = .int(overlay.generation + (overlay.deletionTimestamp == nil ? 0 : 1))
    if let deletion = overlay.deletionTimestamp {
      metadata["deletionTimestamp"] = .string(deletion.rfc3339Seconds)
      metadata["deletionGracePeriodSeconds"] = 0
    }
    if !labels.isEmpty { metadata["labels"] = Envelope.object(labels) }
    let annotations = JSONValue.object(JSONObject(uniqueKeysWithValues: (envelope?.annotations ?? [:]).map { ($0.key, .string($0.value)) }))
      .merging(patch: overlay.json["annotations"] ?? .emptyObject)
    if let members = annotations.object, !members.isEmpty { metadata["annotations"] = annotations.canonical }
    if let owners = envelope?.ownerReferences { metadata["ownerReferences"] = owners }
    return metadata
  }

  /// The user's labels, and over them those that tell where the run comes from; the latter cannot be set by users.
  private func labels(_ run: KnownRun, _ core: RunCore, _ envelope: Envelope?, _ overlay: Overlay) -> [String: String] {
    var labels = envelope?.labels ?? [:]
    for (key, value) in overlay.json["labels"]?.object ?? [:] { labels[key] = value.string }
    labels = labels.filter { !$0.key.hasPrefix(group + "/") }
    labels["\(group)/backend"] = EngineNames.labelValue(binding.backend)
    if let template = core.template { labels["\(group)/template"] = EngineNames.labelValue(EngineNames.objectName(template)) }
    if let trigger = core.trigger { labels["\(group)/trigger"] = EngineNames.labelValue(trigger) }
    if let schedule = core.scheduledBy { labels["\(group)/schedule"] = EngineNames.labelValue(schedule) }
    for (key, value) in core.labels where !value.isEmpty { labels["\(group)/\(key)"] = EngineNames.labelValue(value) }
    return labels
  }

  /// The spec as submitted; for a run made elsewhere, the one that would have started it.
  private func spec(_ core: RunCore, _ envelope: Envelope?, _ overlay: Overlay) -> JSONValue {
    if let envelope {
      var spec = envelope.spec
      if core.suspended != (spec["suspend"]?.bool ?? false), !core.phase.isTerminal { spec["suspend"] = .bool(core.suspended) }
      if overlay.json["spec"]?["cancel"]?.bool == true { spec["cancel"] = true }
      return spec
    }
    var spec = JSONObject()
    if let template = core.template { spec["templateRef"] = ["name": .string(EngineNames.objectName(template))] }
    if let parameters = core.parameters, parameters.object?.isEmpty == false { spec["parameters"] = parameters }
    if let schedule = core.schedule { spec["schedule"] = .string(schedule) }
    if core.suspended { spec["suspend"] = true }
    return .object(spec)
  }
}
