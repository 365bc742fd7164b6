internal import AdapterKit
internal import JSON
internal import OrderedCollections

/// The `status` of a Workflow. Nothing in it changes from one poll to the next unless the run did.
struct WorkflowStatus {
  let phase: RunPhase
  let reason: String?
  let message: String?
  let completionTime: Timestamp?
  let progress: String?
  let json: JSONValue

  /// What the PHASE column shows.
  var phaseCell: String { phase.rawValue }

  /// What the MESSAGE column shows: why, and what.
  /// Engines often begin with what the reason says already.
  var messageCell: String {
    guard let reason, let message else { return reason ?? message ?? "" }
    return message.lowercased().hasPrefix(reason.lowercased()) ? message : "\(reason): \(message)"
  }

  init(run: KnownRun, core: RunCore, overlay: Overlay, binding: BindingInfo, uid: String) {
    phase = run.key.kind == .schedule ? .running : core.phase
    reason =
      run.key.kind == .schedule
      ? (core.suspended ? "Suspended" : "Scheduled") : core.reason ?? (core.suspended && !phase.isTerminal ? "Suspended" : nil)
    message = core.message ?? Self.message(reason, core)
    completionTime = phase.isTerminal ? core.finishedAt : nil
    progress = core.progress.map { "\($0.done)/\($0.total)" } ?? Self.progress(run.steps)

    var status = JSONObject()
    status["phase"] = .string(phase.rawValue)
    if let reason { status["reason"] = .string(reason) }
    if let message { status["message"] = .string(message) }
    if let started = core.startedAt { status["startTime"] = .string(started.rfc3339Seconds) }
    if let completionTime { status["completionTime"] = .string(completionTime.rfc3339Seconds) }
    // Only where the engine counts: a count of our own would begin again with every restart.
    if run.key.kind == .run, case .number(let attempt) = run.attempt { status["attempt"] = .int(attempt) }
    if let progress { status["progress"] = .string(progress) }
    if let last = core.lastScheduleTime { status["lastScheduleTime"] = .string(last.rfc3339Seconds) }
    if let next = core.nextRunTime { status["nextRunTime"] = .string(next.rfc3339Seconds) }
    let generation = overlay.shownGeneration
    status["observedGeneration"] = .int(generation)
    let theirs = (overlay.status["conditions"]?.array ?? []).filter { !StatusFields.isOurs(condition: $0) }
    status["conditions"] = .array(
      Self.conditions(
        phase: phase, reason: reason, message: message, core: core, completed: completionTime, isSchedule: run.key.kind == .schedule,
        generation: generation) + theirs)
    if let steps = run.steps, !steps.isEmpty { status["steps"] = .array(steps.map(Self.step)) }
    var backend: JSONObject = ["name": .string(binding.backend), "id": .string(run.key.description), "state": .string(core.rawState)]
    if let url = core.url { backend["url"] = .string(url) }
    status["backend"] = .object(backend)
    for (name, value) in overlay.status where !StatusFields.engine.contains(name) { status[name] = value }
    json = .object(status)
  }

  /// Where the engine says nothing.
  private static func message(_ reason: String?, _ core: RunCore) -> String? {
    switch reason {
    case "TimedOut": return "ran longer than spec.timeout allows"
    case "Scheduled", "Suspended":
      guard let schedule = core.schedule else { return nil }
      return schedule + (core.nextRunTime.map { ", next run \($0.rfc3339Seconds)" } ?? "")
    default: return nil
    }
  }

  private static func progress(_ steps: [RunStep]?) -> String? {
    guard let steps, !steps.isEmpty else { return nil }
    return "\(steps.count { $0.phase == .succeeded })/\(steps.count)"
  }

  private static func step(_ step: RunStep) -> JSONValue {
    var members: JSONObject = ["name": .string(step.name), "phase": .string(step.phase.rawValue)]
    if let started = step.startedAt { members["startTime"] = .string(started.rfc3339Seconds) }
    if let finished = step.finishedAt { members["completionTime"] = .string(finished.rfc3339Seconds) }
    if let message = step.message { members["message"] = .string(message) }
    return .object(members)
  }

  /// Complete, Failed and Suspended as batch/v1 Job has them; Ready, Reconciling and Stalled as kstatus reads them. Times come from the engine,
  /// so that they are the same after a restart.
  private static func conditions(
    phase: RunPhase, reason: String?, message: String?, core: RunCore, completed: Timestamp?, isSchedule: Bool, generation: Int64
  ) -> [JSONValue] {
    let since = completed ?? core.startedAt ?? core.createdAt
    func condition(_ type: String, _ status: Bool, _ why: String, _ at: Timestamp?) -> JSONValue {
      var members: JSONObject = ["type": .string(type), "status": status ? "True" : "False", "reason": .string(why)]
      members["message"] = .string(message ?? "")
      if let at { members["lastTransitionTime"] = .string(at.rfc3339Seconds) }
      members["observedGeneration"] = .int(generation)
      return .object(members)
    }
    let why = reason ?? phase.rawValue
    var conditions = [
      condition("Complete", phase == .succeeded, why, since), condition("Failed", phase == .failed, why, since),
    ]
    if core.suspended, !phase.isTerminal { conditions.append(condition("Suspended", true, "Suspended", since)) }
    conditions.append(condition("Ready", phase == .succeeded || isSchedule, why, since))
    conditions.append(condition("Reconciling", !phase.isTerminal && !isSchedule, why, since))
    conditions.append(condition("Stalled", phase == .failed, why, since))
    return conditions
  }
}
