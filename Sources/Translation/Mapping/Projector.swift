package import AdapterKit
internal import JSON
internal import KubeWire

/// Turns runs and definitions of all bindings into objects. Pure, as ``RunProjecting`` wants it.
package struct Projector: RunProjecting {
  let group: String
  let bindings: [BindingID: BindingInfo]
  /// The first signs, all verify; empty: envelopes are not signed.
  let signingKeys: [[UInt8]]
  let ownership: FieldOwnership

  package init(group: String, bindings: [BindingInfo], signingKeys: [[UInt8]]) {
    self.group = group
    self.bindings = Dictionary(uniqueKeysWithValues: bindings.map { (BindingID($0.name), $0) })
    self.signingKeys = signingKeys
    ownership = FieldOwnership(group: group, apiVersion: "\(group)/v1alpha1")
  }

  func projection(for binding: BindingInfo) -> WorkflowProjection {
    WorkflowProjection(group: group, binding: binding, ownership: ownership)
  }

  package func project(_ run: KnownRun, binding: BindingID, ownsEnvelope: Bool) -> ObjectDraft? {
    guard let info = bindings[binding], let core = run.core else { return nil }
    if !ownsEnvelope, belongsElsewhere(run, core, info) { return nil }
    let envelope = ownsEnvelope ? run.envelope.flatMap(Envelope.init) : nil
    return projection(for: info).draft(run, core: core, envelope: envelope)
  }

  /// Inline work of all bindings of a backend can share one place in the engine (Airflow's runner DAG): there the envelope alone says to which of them a
  /// run belongs, and the others do not show it.
  private func belongsElsewhere(_ run: KnownRun, _ core: RunCore, _ info: BindingInfo) -> Bool {
    guard core.template == nil, !run.isRebuild, run.envelope.flatMap(Envelope.init) != nil else { return false }
    return bindings.values.contains { $0.backend == info.backend && $0.name != info.name }
  }

  package func envelopeIdentity(of run: KnownRun, binding: BindingID) -> EnvelopeIdentity? {
    guard let info = bindings[binding], let core = run.core, let envelope = run.envelope.flatMap(Envelope.init),
      envelope.namespace == info.namespace, envelope.isWellFormed, Self.fits(core, envelope, info.backend)
    else { return nil }
    if !signingKeys.isEmpty, !envelope.isSigned(backend: info.backend, byOneOf: signingKeys) { return nil }
    let timeout = envelope.spec["timeout"]?.string.flatMap(GoDuration.parse)
    return EnvelopeIdentity(
      uid: envelope.uid, submittedAt: envelope.submittedAt, timeout: timeout,
      submissionKey: SubmissionBuilder.key(namespace: envelope.namespace, name: envelope.name))
  }

  /// Whoever can start a run in the engine can give it any envelope, also one that was seen elsewhere: it holds for a run of its own template only, or,
  /// with inline steps, for one without a template.
  private static func fits(_ core: RunCore, _ envelope: Envelope, _ backend: String) -> Bool {
    guard let template = core.template else { return envelope.spec["templateRef"] == nil && envelope.spec["steps"] != nil }
    let name = EngineNames.objectName(template)
    let given = envelope.spec["templateRef"]?["name"]?.string
    return given == name || given == EngineNames.objectName(name, of: backend)
  }

  package func project(_ template: EngineTemplate, binding: BindingID) -> ObjectDraft? {
    bindings[binding].map { TemplateProjection(group: group, binding: $0).draft(template) }
  }
}
