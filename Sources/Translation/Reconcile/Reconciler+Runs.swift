internal import AdapterKit
internal import JSON

extension Reconciler {
  /// The store has learnt of runs: remembers what matters, and asks for what is missing.
  mutating func learnt(_ summaries: [RunSummary], _ gone: [RunKey], _ turn: inout Turn) {
    var details = settings.getsPerRound
    for summary in summaries {
      let key = summary.ref.key
      runs.learn(summary)
      absence.sighted(key, at: summary.lastSeen)
      if !summary.wants.isDisjoint(with: [.confirmation, .refresh, .envelope]) {
        // A run that cannot be read is asked for again by the next sweep only.
        if !runs.unreadable.contains(key) { gets.add(key, .needed) }
      } else if summary.wants.isSuperset(of: [.changed, .steps]), summary.isActive || isSwept {
        // The polls come back to those that are too many now.
        runs.wantsSteps(key)
        guard details > 0 else { continue }
        details -= 1
        // Also while a read of it is under way: that one may have begun before the change.
        gets.add(key, .detail)
      }
    }
    for key in gone {
      runs.remove(key)
      absence.giveUp(key)
      gets.drop(key)
    }
  }

  mutating func got(_ key: RunKey, _ result: Result<Observation, AdapterError>, _ times: CallTimes, _ turn: inout Turn) {
    gets.ended(key)
    switch result {
    case .success(let observation):
      called(nil, &turn)
      absence.found(key)
      turn.actions.append(.observe(observed([observation], times, .get)))
      // An adapter that does not tell the envelope even now never will.
      if observation.envelope == .unseen || observation.core == .unseen { runs.giveUp(key) }
      if observation.steps == .unseen { runs.hasNoSteps(key) }
      turn.actions.append(.settle(sweepRows: false))
    case .failure(let error):
      if error.code == .notFound {
        called(nil, &turn)
        if absence.missing(key, now: turn.now) {
          turn.actions.append(.checkParent(key))
        } else if runs[key] != nil, absence.shrink == nil {
          // It is evidence, but only a sweep makes it a case.
          turn.hasten(&nextSweep, notBefore: (lastSweep ?? turn.now) + .seconds(30))
        }
        runs.giveUp(key)
        turn.actions.append(.settle(sweepRows: false))
      } else {
        called(error, &turn)
        retryLater(key, error)
        turn.actions.append(.settle(sweepRows: false))
      }
      if !Breaker.isEngineWide(error) { runs.hasNoSteps(key) }
    }
  }

  private mutating func retryLater(_ key: RunKey, _ error: AdapterError) {
    absence.giveUp(key)
    guard runs.lacking.contains(key), Breaker.isEngineWide(error) || runs.readFailed(key) else { return }
    gets.add(key, .needed)
  }

  mutating func parent(_ key: RunKey, _ result: Result<Bool, AdapterError>, _ turn: inout Turn) {
    var isReadable = false
    switch result {
    case .success(let readable):
      called(nil, &turn)
      isReadable = readable
    case .failure(let error): called(error, &turn)
    }
    if absence.parent(key, isReadable: isReadable, now: turn.now) { turn.actions.append(.forget([key])) }
  }

  // MARK: Timeouts

  mutating func cancelTimedOut(_ turn: inout Turn) {
    guard isSwept, abilities.cancelsTimedOut else { return }
    for key in runs.deadlines.filter({ $0.value <= turn.now }).keys.sorted(by: RunKey.precedes) {
      runs.postponeCancel(key, to: turn.now + .seconds(30))
      turn.actions.append(.cancelTimedOut(key))
    }
  }

  mutating func cancelled(_ key: RunKey, _ error: AdapterError?, _ turn: inout Turn) {
    called(error, &turn)
    // Whatever was answered, the run's own state tells.
    gets.add(key, .needed)
  }

  // MARK: The engine as a whole

  /// How a call went, whoever made it.
  mutating func called(_ error: AdapterError?, _ turn: inout Turn) {
    guard let error else {
      let wasDown = !breaker.isClosed || breaker.failures > 0
      breaker.succeeded()
      conditions.reachable.become(true, "Answers", now: turn.now)
      conditions.authenticated.become(true, "Accepted", now: turn.now)
      if wasDown, isSwept {
        if conditions.synced.reason == "Unreachable", absence.shrink == nil { becomeSynced(turn) }
        if settings.pollInterval > .zero { turn.hasten(&nextPoll) }
      }
      return
    }
    guard Breaker.isEngineWide(error) else { return }
    breaker.failed(error, now: turn.now, random: turn.random)
    gets.dropDetails()
    // What waits for a sweep that cannot begin need not wait.
    if sweep == nil { endDemand(began: turn.now, error, &turn) }
    switch error.code {
    case .unauthenticated: conditions.authenticated.become(false, "CredentialsRefused", error.message, now: turn.now)
    case .rateLimited: break
    default: conditions.reachable.become(false, error.code == .timeout ? "TimedOut" : "Unreachable", error.message, now: turn.now)
    }
    if isSwept, error.code != .rateLimited, conditions.synced.status == true {
      conditions.synced.become(false, "Unreachable", error.message, now: turn.now)
    }
  }

  mutating func health(_ health: EngineHealth, _ turn: inout Turn) {
    conditions.engineVersion = health.version ?? conditions.engineVersion
    let text = health.message ?? ""
    if health.reachable, health.authenticated != false {
      conditions.reachable.become(true, "Answers", now: turn.now)
      if health.authenticated == true { conditions.authenticated.become(true, "Accepted", now: turn.now) }
      breaker.probeSucceeded()
      return
    }
    let isProbe = breaker.isProbing
    if health.reachable {
      conditions.reachable.become(true, "Answers", now: turn.now)
      conditions.authenticated.become(false, "CredentialsRefused", text, now: turn.now)
    } else {
      conditions.reachable.become(false, "Unreachable", text, now: turn.now)
      conditions.authenticated.become(nil, "Unreachable", now: turn.now)
    }
    if isProbe || breaker.isClosed {
      breaker.failed(AdapterError(health.reachable ? .unauthenticated : .unavailable, text), now: turn.now, random: turn.random)
      if isSwept, conditions.synced.status == true { conditions.synced.become(false, "Unreachable", text, now: turn.now) }
    }
  }
}
