internal import AdapterKit
internal import JSON
internal import Synchronization

extension BindingDriver {
  /// Does at once what needs no call; the rest is begun.
  func perform(_ action: ReconcilerAction) {
    switch action {
    case .list, .changes, .overlays, .templates, .get, .checkParent, .health, .cancelTimedOut: queue.yield(.call(action))
    case .observe(let batch): store.observe(batch, now: clock.now)
    case .observeOverlays(let overlays, let times):
      store.observeOverlays(binding.id, overlays, began: times.began, ended: times.ended, now: clock.now)
    case .observeTemplates(let templates): store.observeTemplates(binding.id, templates, now: clock.now)
    case .forget(let keys): store.forget(keys.map { RunRef(binding.id, $0) }, now: clock.now)
    case .settle(let sweepRows): handle(.settled(sweepRows: sweepRows))
    case .markSwept: store.markSwept(binding.id, now: clock.now)
    case .expire: store.expire(now: clock.now)
    case .pollEnded(let began, let error): ended(.runs, began: began, error)
    case .templatesEnded(let began, let error): ended(.templates, began: began, error)
    case .setTimer(let moment): setAlarm(moment)
    case .status(let conditions): onStatus(binding.id, conditions)
    }
  }

  /// Sleepers are cheap, but need not be many: an earlier one looks anyway.
  private func setAlarm(_ moment: Timestamp) {
    let isNeeded = state.withLock { state in
      guard state.alarms.allSatisfy({ $0 > moment }) else { return false }
      state.alarms.insert(moment)
      return true
    }
    if isNeeded { queue.yield(.sleep(until: moment)) }
  }

  func execute(_ job: Job) async {
    switch job {
    case .sleep(let moment):
      do { try await clock.sleep(until: moment) } catch { return }
      state.withLock { _ = $0.alarms.remove(moment) }
      handle(.watched(store.isWatched(.workflows, namespaces: binding.namespaces)))
      handle(.timer)
    case .liveGet(let key): await liveGet(key)
    case .call(let action): await call(action)
    }
  }

  private func call(_ action: ReconcilerAction) async {
    let began = clock.now
    switch action {
    case .list(let since, let cursor):
      let result = await result { () async throws(AdapterError) in try await adapter.list(scope, since: since, cursor: cursor) }
      handle(.page(result, times(began)))
    case .changes(let mark):
      guard let incremental = abilities.incremental else { return }
      let result = await result { () async throws(AdapterError) in try await incremental.changes(scope, since: mark, now: began) }
      handle(.changes(result, times(began)))
    case .overlays(let cursor):
      guard let overlays = abilities.overlays else { return }
      let result = await result { () async throws(AdapterError) in try await overlays.overlays(scope: scope, cursor: cursor) }
      handle(.overlays(result, times(began)))
    case .templates(let cursor):
      guard let templates = abilities.templates else { return }
      handle(.templates(await result { () async throws(AdapterError) in try await templates.templates(scope, cursor: cursor) }))
    case .get(let key):
      let (result, times) = await get(key)
      if result.isSuccess { release(state.withLock { $0.liveGets.saw(key, began: times.began) }, .fresh) }
    case .checkParent(let key):
      handle(.parent(key, await result { () async throws(AdapterError) in try await adapter.parentIsReadable(key, scope: scope) }))
    case .health:
      let result = await result { () async throws(AdapterError) in try await adapter.health() }
      switch result {
      case .success(let health): handle(.health(health))
      case .failure(let error): handle(.health(EngineHealth(reachable: false, message: error.message)))
      }
    case .cancelTimedOut(let key): await cancelTimedOut(key)
    default: return
    }
  }

  /// Reads a run; what came of it is learnt when this returns.
  func get(_ key: RunKey) async -> (Result<Observation, AdapterError>, CallTimes) {
    await locks.acquire(key)
    let began = clock.now
    let result = await result { () async throws(AdapterError) in try await adapter.get(key, scope: scope) }
    let times = times(began)
    locks.release(key)
    handle(.got(key, result, times))
    return (result, times)
  }

  private func cancelTimedOut(_ key: RunKey) async {
    // Of the envelope: its namespace may be hidden.
    let ref = RunRef(binding.id, key)
    guard let cancelling = abilities.cancelling, let uid = store.read({ $0.ownUID(ref) }) else { return }
    // What is known of the engine's clock may have changed since.
    guard let moment = store.read({ $0.cancelAt(ref) }), moment <= clock.now else {
      _ = await get(key)
      return
    }
    let error: AdapterError? = await withRunLock(key) {
      let began = clock.now
      let result = await result { () async throws(AdapterError) in
        try await cancelling.cancel(key, uid: uid, reason: "TimedOut", scope: scope)
      }
      switch result {
      case .success(let observation):
        if let observation { observe([Observed(binding.id, observation, began: began, ended: clock.now, source: .write)]) }
        return nil
      case .failure(let error): return error
      }
    }
    handle(.cancelled(key, error))
  }

  private func times(_ began: Timestamp) -> CallTimes { CallTimes(began: began, ended: max(began, clock.now)) }

  private func result<Value: Sendable>(_ body: () async throws(AdapterError) -> Value) async -> Result<Value, AdapterError> {
    do throws(AdapterError) { return .success(try await body()) } catch { return .failure(error) }
  }
}

extension Result {
  var isSuccess: Bool { if case .success = self { true } else { false } }
}
