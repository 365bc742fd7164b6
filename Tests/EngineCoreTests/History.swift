import JSON
import OrderedCollections
import Testing

@testable import EngineCore

/// An engine's state with a clock that the test moves, and what it wanted done so far.
struct History {
  var state: EngineState
  var now = Timestamp("2026-03-01T12:00:00Z")!
  private(set) var actions: [EngineEffects.Action] = []
  private(set) var journal: [[UInt8]] = []

  init(limits: EngineState.Limits = EngineState.Limits()) { state = EngineState(limits: limits, seed: 7, now: now) }

  mutating func turn<Value>(_ input: (inout EngineState, Timestamp) throws -> Value) rethrows -> Value {
    now = now + .milliseconds(1)
    let value = try input(&state, now)
    let effects = state.takeEffects()
    journal += effects.changes.map { JournalRecord.line($0, in: state) }
    actions += effects.actions
    return value
  }

  /// Creates what the JSON says. - Throws: the refusal.
  @discardableResult
  mutating func create(_ json: String) throws -> EngineState.Created {
    let request = try JobRequest(JSONDocument(json).root)
    return try turn { state, now in try state.create(request, now: now) }
  }

  /// A job whose steps run `true`.
  mutating func job(steps: [String] = ["a"], _ members: String = "") throws -> Job {
    let list = steps.map { "{\"name\":\"\($0)\",\"command\":[\"true\"]}" }.joined(separator: ",")
    guard case .job(let job, _) = try create("{\"steps\":[\(list)]\(members.isEmpty ? "" : ",\(members)")}") else {
      throw EngineError(status: 0, code: "test", message: "not a job")
    }
    return job
  }

  mutating func schedule(_ members: String) throws -> Schedule {
    guard case .schedule(let schedule, _) = try create("{\"steps\":[{\"name\":\"a\",\"command\":[\"true\"]}],\(members)}") else {
      throw EngineError(status: 0, code: "test", message: "not a schedule")
    }
    return schedule
  }

  /// The running step of the job ends.
  mutating func end(_ job: String, _ outcome: StepOutcome = .exited(0)) {
    guard let running = state.jobs[job]?.runningStep, let attempt = state.jobs[job]?.steps[running].attempt else { return }
    turn { state, now in state.stepEnded(job: job, step: running, attempt: attempt, outcome: outcome, now: now) }
  }

  mutating func pass(_ duration: Duration) {
    now = now + duration
    turn { state, now in state.tick(now: now) }
  }

  subscript(job: String) -> Job { state.jobs[job]! }

  func signals(_ job: String) -> [EngineEffects.StopSignal] {
    actions.compactMap { if case .signal(job: job, let signal) = $0 { signal } else { nil } }
  }

  var started: [String] { actions.compactMap { if case .start(let run) = $0 { run.job } else { nil } } }
}

func query(_ text: String) throws -> ListQuery { try ListQuery(RequestTarget("/v1/jobs?\(text)")) }

func refusal(_ body: () throws -> Void) -> EngineError? {
  do {
    try body()
    return nil
  } catch { return error as? EngineError }
}
