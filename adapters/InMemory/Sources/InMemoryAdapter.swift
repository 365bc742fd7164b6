package import AdapterKit
package import JSON
import Synchronization

/// An engine and its adapter in one, with every ability, in memory: it keeps the Swift seam honest, and tests of the gateway run on it.
///
/// Nothing happens in it by itself: runs move when a test calls ``start(_:)``, ``finish(_:)`` and so on (see `InMemoryAdapter+Driving`), and time
/// comes from the closure that `init` takes. Scope: `{"project": "x"}` covers the runs of one project, `{}` all.
package final class InMemoryAdapter: Adapter {
  struct State {
    var engine: InMemoryEngine
    var faults: [InMemoryOperation: [InMemoryFault]] = [:]
    var isDown = false
    var calls: [InMemoryOperation: Int] = [:]
    var paused: Set<InMemoryOperation> = []
    /// Tasks that wait until something changes.
    var sleepers: [CheckedContinuation<Void, Never>] = []
  }

  let state: Mutex<State>
  let options: InMemoryOptions
  let now: @Sendable () -> Timestamp

  /// - Parameter now: the engine's clock.
  package init(options: InMemoryOptions = InMemoryOptions(), now: @escaping @Sendable () -> Timestamp) {
    self.options = options
    self.now = now
    state = Mutex(State(engine: InMemoryEngine(options)))
  }

  package var traits: AdapterTraits {
    AdapterTraits(
      engine: "In-memory engine", name: "in-memory", version: "1", submissionKeys: options.submissionKeys,
      enforcesTimeout: options.enforcesTimeout,
      runsInlineSteps: options.runsInlineSteps, keepsSchedules: options.keepsSchedules, submitDeadline: .seconds(10),
      limitations: options.limitations)
  }

  package var abilities: AdapterAbilities {
    var abilities = AdapterAbilities(of: self)
    if options.lacks.contains(.cancel) { abilities.cancelling = nil }
    if options.lacks.contains(.delete) { abilities.deleting = nil }
    if options.lacks.contains(.retry) { abilities.retrying = nil }
    if options.lacks.contains(.suspend) { abilities.suspending = nil }
    if options.lacks.contains(.setState) { abilities.stateSetting = nil }
    if options.lacks.contains(.setOverlay) || options.lacks.contains(.overlay) { abilities.overlays = nil }
    if options.lacks.contains(.changes) { abilities.incremental = nil }
    if options.lacks.contains(.templates) { abilities.templates = nil }
    if options.lacks.contains(.log) { abilities.logs = nil }
    return abilities
  }

  package func health() async throws(AdapterError) -> EngineHealth {
    do throws(AdapterError) {
      return try await call(.health) { _, _ in EngineHealth(reachable: true, authenticated: true, version: "1.0") }
    } catch {
      if error.code == .cancelled { throw error }
      let answers = error.code == .unauthenticated || error.code == .forbidden
      return EngineHealth(reachable: answers, authenticated: answers ? false : nil, message: error.message)
    }
  }

  package func submit(_ submission: Submission) async throws(AdapterError) -> Observation {
    try await call(.submit, isWrite: true) { engine, now throws(AdapterError) in
      engine.observation(try engine.submit(submission, now: now), whole: false)
    }
  }

  package func get(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation {
    try await call(.get) { engine, _ throws(AdapterError) in engine.observation(try engine.run(key), whole: true) }
  }

  package func list(_ scope: AdapterScope, since: Timestamp?, cursor: JSONValue?) async throws(AdapterError) -> RunPage {
    try await call(.list) { engine, _ throws(AdapterError) in try engine.page(scope, since: since, cursor: cursor) }
  }

  package func find(
    submissionKey: String, template: String?, kind: RunKey.Kind, scope: AdapterScope
  ) async throws(AdapterError) -> Observation? {
    try await call(.find) { engine, _ in engine.find(submissionKey, kind: kind, scope).map { engine.observation($0, whole: true) } }
  }

  package func parentIsReadable(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Bool {
    try await call(.parentIsReadable) { engine, _ in !engine.hiddenParents.contains(key.parent) }
  }

  /// Every call goes through here: count, wait while paused, fail as planned, act.
  func call<T: Sendable>(
    _ operation: InMemoryOperation, isWrite: Bool = false, _ body: (inout InMemoryEngine, Timestamp) throws(AdapterError) -> T
  ) async throws(AdapterError) -> T {
    state.withLock { $0.calls[operation, default: 0] += 1 }
    while state.withLock({ $0.paused.contains(operation) }) {
      await sleep { $0.paused.contains(operation) }
      if Task.isCancelled { throw AdapterError(.cancelled, "the caller gave up") }
    }
    if Task.isCancelled { throw AdapterError(.cancelled, "the caller gave up") }
    let now = now()
    let result = state.withLock { state -> Result<T, AdapterError> in
      if state.isDown { return .failure(InMemoryFault.unavailable.error(isWrite: isWrite)) }
      var fault: InMemoryFault?
      if state.faults[operation]?.isEmpty == false { fault = state.faults[operation]?.removeFirst() }
      if let fault, fault != .lostAnswer && fault != .malformedAnswer { return .failure(fault.error(isWrite: isWrite)) }
      state.engine.expire(now: now)
      do throws(AdapterError) {
        let value = try body(&state.engine, now)
        if let fault { return .failure(fault.error(isWrite: isWrite)) }
        return .success(value)
      } catch {
        return .failure(error)
      }
    }
    if isWrite { wake() }
    return try result.get()
  }

  /// Waits for the next change while the condition holds; may return early.
  func sleep(while condition: (State) -> Bool) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let sleeps = state.withLock { state in
          guard condition(state), !Task.isCancelled else { return false }
          state.sleepers.append(continuation)
          return true
        }
        if !sleeps { continuation.resume() }
      }
    } onCancel: {
      wake()
    }
  }

  func wake() {
    let sleepers = state.withLock { state in
      defer { state.sleepers = [] }
      return state.sleepers
    }
    for sleeper in sleepers { sleeper.resume() }
  }
}
