internal import AdapterKit
internal import JSON

extension Reconciler {
  mutating func beginSweep(_ turn: inout Turn) {
    runs.forgive()
    // Objects that are held stay whatever their age, and after a start of the process only the engine knows of them. Rows that carry their overlays tell:
    // then the first sweep reads all of them once. Where overlays are kept apart, these tell whether that is needed (``overlays(_:_:_:)``).
    let reachesBack = !isSwept && abilities.overlaysWithRuns
    let sweep = Sweep(began: turn.now, since: reachesBack ? Sweep.beginning : turn.now - settings.window)
    self.sweep = sweep
    lastSweepBegan = turn.now
    turn.actions.append(.list(since: sweep.since, cursor: nil))
  }

  mutating func page(_ result: Result<RunPage, AdapterError>, _ times: CallTimes, _ turn: inout Turn) {
    guard sweep?.stage == .pages, let since = sweep?.since else { return }
    switch result {
    case .failure(let error): sweepFailed(error, &turn)
    case .success(let page):
      called(nil, &turn)
      sweep?.take(page)
      if !isSwept {
        sweep?.note(rowsOf: page)
        if abilities.overlaysApart { sweep?.note(uidsOf: page) }
      }
      turn.actions.append(.observe(observed(page.observations, times, .list)))
      if let next = page.next {
        turn.actions.append(.list(since: since, cursor: next))
      } else if abilities.overlaysApart, sweep?.readsOverlays ?? false {
        sweep?.stage = .overlays
        turn.actions.append(.overlays(cursor: nil))
      } else {
        pagesEnded(&turn)
      }
    }
  }

  /// Everything was read once. Before a binding can be read for the first time nothing may be missing: what pages passed over while rows moved, or what went
  /// from a list that was not read yet to one that was, would be deleted by the cluster's garbage collector. Later sweeps need no such care: what they
  /// miss is asked for by its key.
  private mutating func pagesEnded(_ turn: inout Turn) {
    guard var sweep else { return }
    defer { self.sweep = sweep }
    sweep.readEnded = turn.now
    if !isSwept {
      // Without a mark no poll tells what moved.
      if abilities.incremental, mark == nil, sweep.pages > 1 { sweep.mayHaveSkipped = true }
      // A pass with a row that cannot be understood ends no first sweep anyway.
      if sweep.mustRepeat, sweep.unreadable.isEmpty {
        sweep.startAgain()
        turn.actions.append(.list(since: sweep.since, cursor: nil))
        return
      }
      if abilities.incremental, mark != nil, sweep.readsChanges {
        sweep.stage = .changes
        if !isPolling { askChanges(&turn) }
        return
      }
    }
    sweep.stage = .observing
    turn.actions.append(.settle(sweepRows: true))
  }

  /// A poll has ended while the first sweep waited for one.
  mutating func changesEnded(began: Timestamp, isComplete: Bool, _ turn: inout Turn) {
    guard let sweep, sweep.stage == .changes else { return }
    if !isComplete {
      self.sweep?.readsChanges = false
      self.sweep?.mayHaveSkipped = true
      pagesEnded(&turn)
    } else if began < sweep.readEnded {
      askChanges(&turn)
    } else {
      self.sweep?.stage = .observing
      turn.actions.append(.settle(sweepRows: true))
    }
  }

  mutating func overlays(_ result: Result<OverlayPage, AdapterError>, _ times: CallTimes, _ turn: inout Turn) {
    guard sweep?.stage == .overlays else { return }
    switch result {
    case .failure(let error): sweepFailed(error, &turn)
    case .success(let page):
      called(nil, &turn)
      sweep?.overlays.merge(page.overlays) { _, new in new }
      if sweep?.overlaysBegan == nil { sweep?.overlaysBegan = times.began }
      if let next = page.next {
        turn.actions.append(.overlays(cursor: next))
      } else if let overlays = sweep?.overlays {
        let began = sweep?.overlaysBegan ?? times.began
        turn.actions.append(.observeOverlays(overlays, CallTimes(began: began, ended: times.ended)))
        sweep?.overlays = [:]
        if !isSwept, sweep?.misses(overlays) ?? false {
          // An overlay names a uid, not a run, so only the list finds it.
          sweep?.reachBack()
          sweep?.readsOverlays = false
          turn.actions.append(.list(since: Sweep.beginning, cursor: nil))
          return
        }
        pagesEnded(&turn)
      }
    }
  }

  /// When all rows are learnt, the sweep ends as soon as every run's envelope is known too. Reads of runs settle meanwhile, on other threads: only
  /// the sweep's own echo says that its rows are in the store.
  mutating func settled(sweepRows: Bool, _ turn: inout Turn) {
    if sweepRows, sweep?.stage == .observing { sweep?.stage = .settling }
    endSweepIfSettled(&turn)
  }

  mutating func endSweepIfSettled(_ turn: inout Turn) {
    guard var sweep, sweep.stage == .settling, runs.lacking.isEmpty else { return }
    sweep.unreadable += runs.unreadable.sorted(by: RunKey.precedes).map { "\($0): the engine does not tell all of it" }
    self.sweep = nil
    endSweep(sweep, &turn)
  }

  private mutating func endSweep(_ sweep: Sweep, _ turn: inout Turn) {
    lastSuccess = sweep.began
    ended(sweep, turn)
    unreadableSweeps = sweep.unreadable.isEmpty ? 0 : unreadableSweeps + 1
    // Objects that were there before a restart must not be absent from a list because of one row: garbage collectors act on that. Later sweeps keep
    // what they do not see.
    if !isSwept, sweep.unreadable.isEmpty {
      isSwept = true
      turn.actions.append(.markSwept)
      if nextPoll == nil, settings.pollInterval > .zero { nextPoll = pollTime(turn) }
    }
    if sweep.unreadable.isEmpty { judgeAbsence(sweep, turn) }
    if !isSwept {
      let pause = ReconcilerSettings.firstSweepPause * (1 << min(max(unreadableSweeps - 1, 0), 4))
      nextSweep = turn.jittered(min(pause, ReconcilerSettings.longestFirstSweepPause))
    } else if settings.pollInterval > .zero || absence.shrink != nil {
      nextSweep = turn.jittered(sweepInterval)
    }
    if let since = owesSweepSince {
      if sweep.began >= since { owesSweepSince = nil } else { turn.hasten(&nextSweep) }
    }
    endDemand(began: sweep.began, nil, &turn)
    judgeSync(unreadable: sweep.unreadable, turn)
  }

  /// Without incremental polling only a sweep finds new runs.
  private var sweepInterval: Duration {
    if abilities.incremental || settings.pollInterval == .zero { return settings.sweepInterval }
    return min(settings.sweepInterval, settings.pollInterval * (isWatched ? 1 : settings.idleFactor))
  }

  private mutating func ended(_ sweep: Sweep?, _ turn: Turn) {
    lastSweep = turn.now
    if let sweep { sweepTook = turn.now - sweep.began }
  }

  private mutating func judgeAbsence(_ sweep: Sweep, _ turn: Turn) {
    let missing = runs.all.filter { sweep.reaches($0.value, abilities) }.keys.sorted(by: RunKey.precedes)
    for key in absence.judge(missing: missing, of: runs.count, now: turn.now) { gets.add(key, .absence) }
  }

  private mutating func judgeSync(unreadable: [String], _ turn: Turn) {
    if let shrink = absence.shrink, !shrink.accepted {
      conditions.synced.become(
        false, "SuspiciousShrink",
        "\(shrink.missing) of \(runs.count) runs are missing from the engine's list; they are shown until that is certain", now: turn.now)
    } else if let first = unreadable.first {
      conditions.synced.become(
        false, "UnreadableRuns",
        "\(unreadable.count) of the engine's runs cannot be understood\(isSwept ? "" : ", and the binding cannot be read until they are"), for example: \(first)",
        now: turn.now)
    } else if isSwept {
      becomeSynced(turn)
    }
  }

  /// All runs are known; the templates may still say otherwise.
  mutating func becomeSynced(_ turn: Turn) {
    if let fault = templateFault {
      conditions.synced.become(false, fault.reason, fault.message, now: turn.now)
    } else {
      conditions.synced.become(true, "Synced", now: turn.now)
    }
  }

  /// A live list that waits for a sweep is told.
  mutating func endDemand(began: Timestamp, _ error: AdapterError?, _ turn: inout Turn) {
    guard isSweepDemanded else { return }
    isSweepDemanded = false
    turn.actions.append(.pollEnded(began: began, error))
  }

  private mutating func sweepFailed(_ error: AdapterError, _ turn: inout Turn) {
    endDemand(began: sweep?.began ?? turn.now, error, &turn)
    ended(sweep, turn)
    sweep = nil
    called(error, &turn)
    let soonest = max(breaker.openUntil ?? turn.now, turn.jittered(.seconds(isSwept ? 10 : 2)))
    nextSweep = settings.pollInterval == .zero && isSwept && owesSweepSince == nil ? nil : soonest
    if conditions.synced.reason != "SuspiciousShrink" {
      conditions.synced.become(false, Breaker.isEngineWide(error) ? "Unreachable" : "ListFailed", error.message, now: turn.now)
    }
  }

  func observed(_ observations: [Observation], _ times: CallTimes, _ source: Observed.Source) -> [Observed] {
    observations.map { Observed(binding, $0, began: times.began, ended: times.ended, source: source) }
  }
}
