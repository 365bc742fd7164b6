import AdapterKit
import JSON

/// The engine's whole state, a value: (state, input, now) → answer. No clock and no tasks in it.
struct InMemoryEngine {
  let options: InMemoryOptions
  private(set) var runs: [RunKey: InMemoryRun] = [:]
  private var lastNumber: Int64 = 0
  private var lastSequence: Int64 = 0
  private var deletions: [(sequence: Int64, key: RunKey)] = []
  /// Changes up to here can no longer be listed.
  private var forgottenUpTo: Int64 = 0
  private var usedKeys: Set<String> = []
  var templates: [EngineTemplate]
  var hiddenParents: Set<String> = []

  init(_ options: InMemoryOptions) {
    self.options = options
    templates = options.templates
  }

  // MARK: Reading

  func run(_ key: RunKey) throws(AdapterError) -> InMemoryRun {
    guard !hiddenParents.contains(key.parent), let run = runs[key] else {
      throw AdapterError(.notFound, "there is no \(key.kind.rawValue) \(key)", status: 404)
    }
    return run
  }

  func observation(_ run: InMemoryRun, whole: Bool) -> Observation {
    run.observation(whole: whole, overlay: whole || options.overlayComesWithRuns)
  }

  func visible(_ scope: AdapterScope) -> [InMemoryRun] {
    let project = project(scope)
    return runs.values.filter { (project == nil || $0.key.parent == project) && !hiddenParents.contains($0.key.parent) }
      .sorted { $0.number < $1.number }
  }

  func page(_ scope: AdapterScope, since: Timestamp?, cursor: JSONValue?) throws(AdapterError) -> RunPage {
    var after: Int64 = 0
    if let cursor {
      guard let number = cursor.int else { throw AdapterError(.invalid, "the cursor is not ours") }
      after = number
    }
    let rows = visible(scope).filter { run in
      guard run.number > after else { return false }
      guard let since, let finished = run.core.finishedAt else { return true }
      return finished >= since
    }
    let page = rows.prefix(options.pageSize)
    return RunPage(
      observations: page.map { observation($0, whole: false) }, next: rows.count > page.count ? page.last.map { .int($0.number) } : nil)
  }

  func changes(_ scope: AdapterScope, since mark: JSONValue?) throws(AdapterError) -> ChangePage {
    guard let mark else { return ChangePage(observations: [], mark: .int(lastSequence)) }
    guard let seen = mark.int else { throw AdapterError(.invalid, "the mark is not ours") }
    guard seen >= forgottenUpTo, seen <= lastSequence else {
      return ChangePage(observations: [], mark: .int(lastSequence), complete: false)
    }
    let project = project(scope)
    let changed = visible(scope).filter { $0.sequence > seen }.sorted { $0.sequence < $1.sequence }
    let page = changed.prefix(options.pageSize)
    let more = changed.count > page.count
    let next = more ? page.last?.sequence ?? lastSequence : lastSequence
    let gone = deletions.filter { $0.sequence > seen && $0.sequence <= next && (project == nil || $0.key.parent == project) }
    return ChangePage(observations: page.map { observation($0, whole: false) }, deleted: gone.map(\.key), mark: .int(next), more: more)
  }

  func find(_ submissionKey: String, kind: RunKey.Kind, _ scope: AdapterScope) -> InMemoryRun? {
    visible(scope).first { $0.submissionKey == submissionKey && $0.key.kind == kind }
  }

  private func project(_ scope: AdapterScope) -> String? { scope.settings["project"]?.string }

  // MARK: Writing

  mutating func submit(_ submission: Submission, now: Timestamp) throws(AdapterError) -> InMemoryRun {
    if let template = submission.template, !templates.contains(where: { $0.name == template }) {
      throw AdapterError(.invalid, "there is no template \(template)", field: "template", status: 404)
    }
    if submission.template == nil && !options.runsInlineSteps {
      throw AdapterError(.unsupported, "this engine runs no inline steps", field: "steps")
    }
    if submission.schedule != nil && !options.keepsSchedules {
      throw AdapterError(.unsupported, "this engine keeps no schedules", field: "schedule")
    }
    switch options.submissionKeys {
    case .enforced where runs.values.contains { $0.submissionKey == submission.key },
      .enforcedForever where usedKeys.contains(submission.key):
      throw AdapterError(.alreadyExists, "the key \(submission.key) is taken", status: 409)
    default: break
    }
    usedKeys.insert(submission.key)

    let paused = templates.first { $0.name == submission.template }?.paused ?? false
    let kind: RunKey.Kind = submission.schedule == nil ? .run : .schedule
    var core = RunCore(
      phase: .pending, rawState: "queued", createdAt: now, template: submission.template, trigger: "api", suspended: submission.suspended,
      parameters: .object(submission.parameters), schedule: submission.schedule)
    if kind == .schedule {
      core.phase = .running
      core.rawState = "active"
      core.reason = "Scheduled"
      core.startedAt = now
    } else if options.startsAtOnce && !submission.suspended && !paused {
      core.phase = .running
      core.rawState = "running"
      core.startedAt = now
    }
    if submission.suspended { core.reason = "Suspended" }
    var run = make(kind, project: project(submission.scope) ?? "", core)
    run.submissionKey = options.submissionKeys == .none ? nil : submission.key
    run.uid = submission.uid
    run.envelope = submission.envelope
    run.timeout = submission.timeout
    run.requestedBy = submission.requestedBy
    run.steps = submission.steps.map { RunStep(name: $0.name, phase: .pending, rawState: "queued") }
    if !run.steps.isEmpty { run.core.progress = RunProgress(done: 0, total: run.steps.count) }
    runs[run.key] = run
    return run
  }

  /// A new run with the next number; not stored yet.
  mutating func make(_ kind: RunKey.Kind, project: String, _ core: RunCore) -> InMemoryRun {
    lastNumber += 1
    lastSequence += 1
    let key = RunKey(kind: kind, parent: project, id: "\(kind.rawValue)-\(lastNumber)")
    var core = core
    core.url = "https://engine.example/\(key)"
    return InMemoryRun(key: key, number: lastNumber, sequence: lastSequence, core: core)
  }

  mutating func store(_ run: InMemoryRun) { runs[run.key] = run }

  /// Changes one run and moves it to the end of the list of changes.
  @discardableResult
  mutating func change(_ key: RunKey, _ body: (inout InMemoryRun) -> Void) throws(AdapterError) -> InMemoryRun {
    var run = try run(key)
    body(&run)
    lastSequence += 1
    run.sequence = lastSequence
    runs[key] = run
    return run
  }

  mutating func remove(_ key: RunKey) throws(AdapterError) {
    _ = try run(key)
    runs[key] = nil
    lastSequence += 1
    deletions.append((lastSequence, key))
  }

  /// Marks given out so far are too old from now on.
  mutating func forgetChanges() {
    lastSequence += 1
    forgottenUpTo = lastSequence
    deletions = []
  }

  /// Ends what is older than its timeout, where the engine does that.
  mutating func expire(now: Timestamp) {
    guard options.enforcesTimeout else { return }
    for run in runs.values where run.core.phase == .running && !run.isSchedule {
      guard let timeout = run.timeout, let started = run.core.startedAt, now - started >= timeout else { continue }
      _ = try? change(run.key) { $0.end(.failed, "timed_out", reason: "TimedOut", message: "it ran longer than \(timeout)", now: now) }
    }
  }
}

extension InMemoryRun {
  mutating func end(_ phase: RunPhase, _ rawState: String, reason: String? = nil, message: String? = nil, now: Timestamp) {
    core.phase = phase
    core.rawState = rawState
    core.reason = reason
    core.message = message
    core.suspended = false
    core.finishedAt = now
    if phase == .succeeded && core.startedAt == nil { core.startedAt = now }
    for index in steps.indices where !steps[index].phase.isTerminal {
      let began = steps[index].startedAt != nil || phase == .succeeded
      steps[index].phase = phase
      steps[index].rawState = began ? rawState : "skipped"
      if began {
        steps[index].startedAt = steps[index].startedAt ?? now
        steps[index].finishedAt = now
      }
    }
    count()
  }

  /// Brings the progress in line with the steps.
  mutating func count() {
    guard !steps.isEmpty else { return }
    core.progress = RunProgress(done: steps.count { $0.phase.isTerminal && $0.rawState != "skipped" }, total: steps.count)
  }
}
