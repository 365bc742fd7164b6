package import AdapterKit
package import JSON
internal import Synchronization

extension BindingDriver {
  /// Reads one run from the engine, or joins a read that began after the request (or shortly before: the freshness of the settings).
  ///
  /// Many readers at once cost one call. What was read is in the store when this returns `.fresh`.
  package func refresh(_ key: RunKey, startedAfter: Timestamp, within: Duration = .seconds(15)) async -> RefreshOutcome {
    if let refusal = refusal { return refusal }
    return await wait(within: within) { state, waiter in
      state.liveGets.request(key, waiter: waiter, notBefore: startedAfter - self.settings.freshness)
    } start: {
      self.queue.yield(.liveGet(key))
    } cancel: { state, waiter in
      state.liveGets.cancel(key, waiter: waiter)
    }
  }

  /// Asks the engine what changed (never a full sweep), or joins a poll that began after the request or shortly before.
  package func refreshList(startedAfter: Timestamp, within: Duration = .seconds(2)) async -> RefreshOutcome {
    await refresh(.runs, notBefore: startedAfter - settings.freshness, within: within) { self.handle(.demand) }
  }

  /// Reads the templates again.
  @discardableResult
  package func refreshTemplates(within: Duration = .seconds(5)) async -> RefreshOutcome {
    await refresh(.templates, notBefore: clock.now, within: within) { self.handle(.demandTemplates) }
  }

  private func refresh(_ topic: Topic, notBefore: Timestamp, within: Duration, _ start: @escaping @Sendable () -> Void) async
    -> RefreshOutcome
  {
    await wait(within: within) { state, waiter in
      state.refreshes.request(topic, waiter: waiter, notBefore: notBefore)
    } start: {
      start()
    } cancel: { state, waiter in
      state.refreshes.cancel(topic, waiter: waiter)
    }
  }

  /// While the engine fails, readers are not made to wait for it.
  private var refusal: RefreshOutcome? {
    state.withLock { state in
      guard !state.reconciler.breaker.mayTryLive(now: clock.now) else { return nil }
      return .failed(state.reconciler.breaker.lastError ?? AdapterError(.unavailable, "the engine does not answer"))
    }
  }

  func liveGet(_ key: RunKey) async {
    let (result, times) = await get(key)
    let (released, startAgain) = state.withLock { $0.liveGets.ended(key, began: times.began, succeeded: result.isSuccess) }
    switch result {
    case .success: release(released, .fresh)
    case .failure(let error): release(released, error.code == .notFound ? .gone : .failed(error))
    }
    if startAgain { queue.yield(.liveGet(key)) }
  }

  /// A poll or a reading of the templates has ended.
  func ended(_ topic: Topic, began: Timestamp, _ error: AdapterError?) {
    let (released, startAgain) = state.withLock { $0.refreshes.ended(topic, began: began, succeeded: error == nil) }
    release(released, error.map { .failed($0) } ?? .fresh)
    if startAgain { handle(topic == .runs ? .demand : .demandTemplates) }
  }

  func release(_ waiters: [Int], _ outcome: RefreshOutcome) {
    guard !waiters.isEmpty else { return }
    let continuations = state.withLock { state in waiters.compactMap { state.waiters.removeValue(forKey: $0) } }
    for continuation in continuations { continuation.resume(returning: outcome) }
  }

  private func wait(
    within: Duration, request: @escaping @Sendable (inout State, Int) -> RefreshDecision, start: @escaping @Sendable () -> Void,
    cancel: @escaping @Sendable (inout State, Int) -> Void
  ) async -> RefreshOutcome {
    let waiter = state.withLock { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    return await withTaskGroup(of: RefreshOutcome.self) { group in
      group.addTask { await self.released(waiter, request: request, start: start) }
      group.addTask {
        try? await self.clock.sleep(for: within)
        return .late
      }
      let outcome = await group.next() ?? .late
      group.cancelAll()
      state.withLock { cancel(&$0, waiter) }
      release([waiter], .late)
      return outcome
    }
  }

  private func released(
    _ waiter: Int, request: @escaping @Sendable (inout State, Int) -> RefreshDecision, start: @escaping @Sendable () -> Void
  ) async -> RefreshOutcome {
    await withCheckedContinuation { continuation in
      let decision = state.withLock { state -> RefreshDecision? in
        // Whoever gives up cancels first and releases then: one of the two always meets us.
        guard !state.isStopped, !Task.isCancelled else { return nil }
        let decision = request(&state, waiter)
        if decision != .fresh { state.waiters[waiter] = continuation }
        return decision
      }
      switch decision {
      case .fresh: continuation.resume(returning: .fresh)
      case .wait: break
      case .start: start()
      case nil: continuation.resume(returning: .late)
      }
    }
  }
}
