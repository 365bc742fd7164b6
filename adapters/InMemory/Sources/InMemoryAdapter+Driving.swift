package import AdapterKit
package import JSON
import OrderedCollections
import Synchronization

/// What tests do to the engine behind the gateway's back.
extension InMemoryAdapter {
  // MARK: Runs

  /// The run begins. - Throws: `.notFound`.
  package func start(_ key: RunKey) throws(AdapterError) {
    try drive { engine, now throws(AdapterError) in
      try engine.change(key) { run in
        run.core.phase = .running
        run.core.rawState = "running"
        run.core.startedAt = now
        if !run.steps.isEmpty {
          run.steps[0].phase = .running
          run.steps[0].rawState = "running"
          run.steps[0].startedAt = now
        }
      }
    }
  }

  /// The run succeeds.
  package func finish(_ key: RunKey) throws(AdapterError) {
    try drive { engine, now throws(AdapterError) in try engine.change(key) { $0.end(.succeeded, "succeeded", now: now) } }
  }

  package func fail(_ key: RunKey, message: String? = nil) throws(AdapterError) {
    try drive { engine, now throws(AdapterError) in try engine.change(key) { $0.end(.failed, "failed", message: message, now: now) } }
  }

  /// One step ends, and the next one begins.
  package func finishStep(_ name: String, of key: RunKey, phase: RunPhase = .succeeded, message: String? = nil) throws(AdapterError) {
    try drive { engine, now throws(AdapterError) in
      try engine.change(key) { run in
        guard let index = run.steps.firstIndex(where: { $0.name == name }) else { return }
        run.steps[index].phase = phase
        run.steps[index].rawState = phase.rawValue.lowercased()
        run.steps[index].message = message
        run.steps[index].finishedAt = now
        if index + 1 < run.steps.count {
          run.steps[index + 1].phase = .running
          run.steps[index + 1].rawState = "running"
          run.steps[index + 1].startedAt = now
        }
        run.count()
      }
    }
  }

  /// Somebody starts a run in the engine itself.
  ///
  /// - Parameter envelope: a copy of another run's, for a re-trigger with the same parameters.
  @discardableResult
  package func startForeignRun(
    template: String? = nil, project: String = "", phase: RunPhase = .running, parameters: JSONObject = [:], envelope: JSONValue? = nil,
    isRebuild: Bool = false, labels: [String: String] = [:], createdAt: Timestamp? = nil
  ) -> RunKey {
    let now = createdAt ?? now()
    let key = state.withLock { state in
      var core = RunCore(
        phase: phase, rawState: phase.rawValue.lowercased(), createdAt: now, template: template, trigger: "manual",
        parameters: .object(parameters), labels: labels)
      if phase != .pending { core.startedAt = now }
      if phase.isTerminal { core.finishedAt = now }
      var run = state.engine.make(.run, project: project, core)
      run.envelope = envelope
      run.isRebuild = isRebuild
      state.engine.store(run)
      return run.key
    }
    wake()
    return key
  }

  /// A schedule fires. - Returns: the run that it started. - Throws: `.notFound`.
  @discardableResult
  package func fire(_ schedule: RunKey) throws(AdapterError) -> RunKey {
    try drive { engine, now throws(AdapterError) in
      let of = try engine.change(schedule) { $0.core.lastScheduleTime = now }
      var core = RunCore(
        phase: .running, rawState: "running", createdAt: now, startedAt: now, template: of.core.template, trigger: "schedule")
      core.scheduledBy = schedule.id
      let run = engine.make(.run, project: schedule.parent, core)
      engine.store(run)
      return run.key
    }
  }

  /// The run is gone from the engine, whatever its state.
  package func remove(_ key: RunKey) throws(AdapterError) {
    try drive { engine, _ throws(AdapterError) in try engine.remove(key) }
  }

  /// Any other change of what the engine says.
  package func edit(_ key: RunKey, _ body: (inout RunCore) -> Void) throws(AdapterError) {
    try drive { engine, _ throws(AdapterError) in try engine.change(key) { body(&$0.core) } }
  }

  /// The engine does not tell any more who submitted the run.
  package func dropEnvelope(_ key: RunKey) throws(AdapterError) {
    try drive { engine, _ throws(AdapterError) in try engine.change(key) { $0.envelope = nil } }
  }

  package func appendLog(_ text: String, to key: RunKey) throws(AdapterError) {
    try drive { engine, _ throws(AdapterError) in try engine.change(key) { $0.log += Array(text.utf8) } }
  }

  /// All keys, oldest first.
  package var keys: [RunKey] { state.withLock { $0.engine.runs.values.sorted { $0.number < $1.number }.map(\.key) } }

  /// What the engine holds, without a call being counted; nil when it has no such run.
  package func peek(_ key: RunKey) -> Observation? {
    state.withLock { state in state.engine.runs[key].map { $0.observation(whole: true, overlay: true) } }
  }

  /// The key that a submission was given; nil when there is none.
  package func key(submittedAs submissionKey: String) -> RunKey? {
    state.withLock { $0.engine.runs.values.first { $0.submissionKey == submissionKey }?.key }
  }

  package func setTemplates(_ templates: [EngineTemplate]) {
    state.withLock { $0.engine.templates = templates }
    wake()
  }

  // MARK: Trouble

  /// The next calls of an operation fail, one for each fault.
  package func failNext(_ operation: InMemoryOperation, _ faults: InMemoryFault...) {
    state.withLock { $0.faults[operation, default: []] += faults }
  }

  /// Nothing can be reached until it is set back.
  package func setDown(_ down: Bool) { state.withLock { $0.isDown = down } }

  /// "You may not see it" looks like "gone": runs of this project are 404 and not in lists, and so is the project.
  package func hide(project: String, _ hidden: Bool = true) {
    state.withLock { state in
      if hidden { state.engine.hiddenParents.insert(project) } else { state.engine.hiddenParents.remove(project) }
    }
  }

  /// Calls of the operation wait until ``resume(_:)``; they can be cancelled meanwhile.
  package func pause(_ operation: InMemoryOperation) { state.withLock { _ = $0.paused.insert(operation) } }

  package func resume(_ operation: InMemoryOperation) {
    state.withLock { _ = $0.paused.remove(operation) }
    wake()
  }

  /// Marks of ``changes(_:since:now:)`` given out so far are too old from now on.
  package func forgetChanges() { state.withLock { $0.engine.forgetChanges() } }

  // MARK: Counting

  /// Calls so far, failed ones included.
  package func calls(_ operation: InMemoryOperation) -> Int { state.withLock { $0.calls[operation] ?? 0 } }
  package var calls: [InMemoryOperation: Int] { state.withLock { $0.calls } }
  package func forgetCalls() { state.withLock { $0.calls = [:] } }

  @discardableResult
  private func drive<T>(_ body: (inout InMemoryEngine, Timestamp) throws(AdapterError) -> T) throws(AdapterError) -> T {
    let now = now()
    let result = state.withLock { state -> Result<T, AdapterError> in
      do throws(AdapterError) { return .success(try body(&state.engine, now)) } catch { return .failure(error) }
    }
    wake()
    return try result.get()
  }
}
