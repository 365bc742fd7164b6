package import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// One binding at work: its configuration, its adapter and what drives its polling.
package struct Bound: Sendable {
  package let info: BindingInfo
  package let adapter: any Adapter
  /// Asked for once, here.
  package let abilities: AdapterAbilities
  package let driver: BindingDriver

  package init(info: BindingInfo, adapter: any Adapter, driver: BindingDriver) {
    self.info = info
    self.adapter = adapter
    abilities = adapter.abilities
    self.driver = driver
  }

  package var id: BindingID { BindingID(info.name) }

  /// Turns this engine's refusals about one Workflow into Statuses.
  func refusal(_ name: String, group: String) -> EngineRefusal {
    EngineRefusal(resource: "workflows", kind: "Workflow", group: group, name: name, backend: info.backend, engine: adapter.traits.engine)
  }

  /// Looks for what a submission may have made.
  func find(_ submission: Submission) async throws(AdapterError) -> Observation? {
    try await adapter.find(
      submissionKey: submission.key, template: submission.template, kind: submission.schedule == nil ? .run : .schedule,
      scope: submission.scope)
  }

  /// The object that a submission would make, for `dryRun`.
  func preview(_ submission: Submission, envelope: Envelope, projector: Projector, now: Timestamp) -> ObjectDraft {
    let core = RunCore(
      phase: .pending, rawState: "", createdAt: now, template: submission.template, suspended: submission.suspended,
      schedule: submission.schedule)
    let kind: RunKey.Kind = submission.schedule == nil ? .run : .schedule
    let observation = Observation(
      key: RunKey(kind: kind, id: ""), identity: envelope.uid, attempt: .unknown, core: .present(core), envelope: .present(envelope.json),
      overlay: .absent)
    let run = KnownRun(observation, began: now, now: now)
    var draft = projector.projection(for: info).draft(run, core: core, envelope: envelope)!
    // Nothing has happened yet: a status would be an invention.
    draft.content["status"] = nil
    return draft
  }

  /// Why an answer is not what the engine just said, for a Warning.
  func text(_ outcome: RefreshOutcome) -> String {
    outcome.text(backend: info.backend, engine: adapter.traits.engine)
  }
}

extension RefreshOutcome {
  var isFresh: Bool {
    switch self {
    case .late, .failed: false
    default: true
    }
  }
}
