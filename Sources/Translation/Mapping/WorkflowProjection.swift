internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// Turns what is known of one run into the Workflow that represents it.
///
/// Ids, states and times are the engine's; name, uid, labels and spec are the envelope's where the run owns one. The result depends on nothing
/// else, so every replica and every restart makes the same object of the same run.
struct WorkflowProjection: Sendable {
  let group: String
  let binding: BindingInfo
  let ownership: FieldOwnership

  /// nil when the run is not to be shown: it was deleted here and the binding retains it in the engine.
  func draft(_ run: KnownRun, core: RunCore, envelope: Envelope?) -> ObjectDraft? {
    let overlay = Overlay(run.overlay)
    guard !overlay.hidden else { return nil }
    let name = envelope?.name ?? EngineNames.runName(template: core.template, id: run.key.id, identity: run.identity)
    let uid = envelope?.uid ?? EngineNames.uid(backend: binding.backend, identity: run.identity)
    let created = core.createdAt ?? envelope?.submittedAt ?? core.startedAt
    let spec = spec(core, envelope, overlay)
    let status = WorkflowStatus(run: run, core: core, overlay: overlay, binding: binding, uid: uid)
    let kept = KeptMetadata(envelope, overlay)
    let labels = labels(run, core, kept)
    return ObjectDraft(
      resource: .workflows, namespace: binding.namespace, name: name, uid: uid, labels: labels,
      fields: [
        "metadata.name": name, "metadata.namespace": binding.namespace, "status.phase": status.phase.rawValue,
        "spec.templateRef.name": spec["templateRef"]?["name"]?.string ?? "", "spec.backend": binding.backend,
      ],
      metadata: metadata(name: name, uid: uid, created: created, labels: labels, kept: kept, envelope: envelope, overlay: overlay),
      content: ["spec": spec, "status": status.json],
      cells: [
        .value(.string(name)), .value(.string(spec["templateRef"]?["name"]?.string ?? "<inline>")), .value(.string(status.phaseCell)),
        .value(.string(status.progress ?? "")), .since(core.startedAt), .between(core.startedAt, status.completionTime), .since(created),
        .value(.string(binding.backend)), .value(.string(run.key.description)), .value(.string(core.url ?? "")),
        .value(.string(status.messageCell)),
      ])
  }

  private func metadata(
    name: String, uid: String, created: Timestamp?, labels: [String: String], kept: KeptMetadata, envelope: Envelope?, overlay: Overlay
  ) -> JSONObject {
    var metadata: JSONObject = ["name": .string(name), "namespace": .string(binding.namespace), "uid": .string(uid)]
    if let base = envelope?.generateName { metadata["generateName"] = .string(base) }
    if let created { metadata["creationTimestamp"] = .string(created.rfc3339Seconds) }
    metadata["generation"] = .int(overlay.shownGeneration)
    if let deletion = overlay.deletionTimestamp {
      metadata["deletionTimestamp"] = .string(deletion.rfc3339Seconds)
      metadata["deletionGracePeriodSeconds"] = 0
    }
    if !labels.isEmpty { metadata["labels"] = Envelope.object(labels) }
    if !kept.annotations.isEmpty { metadata["annotations"] = Envelope.object(kept.annotations) }
    if !kept.ownerReferences.isEmpty { metadata["ownerReferences"] = .array(kept.ownerReferences) }
    if !kept.finalizers.isEmpty { metadata["finalizers"] = .array(kept.finalizers.map { .string($0) }) }
    if let managed = ownership.account(envelope, overlay).json { metadata["managedFields"] = managed }
    return metadata
  }

  /// The user's labels, and over them those that tell where the run comes from; the latter cannot be set by users.
  private func labels(_ run: KnownRun, _ core: RunCore, _ kept: KeptMetadata) -> [String: String] {
    var labels = kept.labels.filter { !$0.key.hasPrefix(group + "/") }
    labels["\(group)/backend"] = EngineNames.labelValue(binding.backend)
    if let template = core.template { labels["\(group)/template"] = EngineNames.labelValue(EngineNames.objectName(template)) }
    if let trigger = core.trigger { labels["\(group)/trigger"] = EngineNames.labelValue(trigger) }
    if let schedule = core.scheduledBy { labels["\(group)/schedule"] = EngineNames.labelValue(schedule) }
    for (key, value) in core.labels where !value.isEmpty { labels["\(group)/\(key)"] = EngineNames.labelValue(value) }
    return labels
  }

  /// The spec as submitted and as its users changed it. What people change in the engine is told by the status only (design §6).
  ///
  /// A run made elsewhere gets the spec that would have started it.
  private func spec(_ core: RunCore, _ envelope: Envelope?, _ overlay: Overlay) -> JSONValue {
    var spec = envelope.map { $0.spec.object ?? [:] } ?? made(core)
    // Where the engine keeps no overlays, its own state is all that tells.
    if envelope != nil, !binding.keepsOverlays, !core.phase.isTerminal, core.suspended != (spec["suspend"]?.bool ?? false) {
      spec["suspend"] = .bool(core.suspended)
    }
    for (name, value) in overlay.spec { if value.isNull { spec.removeValue(forKey: name) } else { spec[name] = value } }
    return .object(spec)
  }

  private func made(_ core: RunCore) -> JSONObject {
    var spec = JSONObject()
    if let template = core.template { spec["templateRef"] = ["name": .string(EngineNames.objectName(template))] }
    if let parameters = core.parameters, parameters.object?.isEmpty == false { spec["parameters"] = parameters }
    if let schedule = core.schedule { spec["schedule"] = .string(schedule) }
    if core.suspended { spec["suspend"] = true }
    return spec
  }
}
