internal import AdapterKit
internal import JSON

extension Reconciler {
  /// What changed since the last time; and, bounded, active runs one by one.
  mutating func beginPoll(_ turn: inout Turn) {
    if isSwept, settings.pollInterval > .zero || burst > 0, !abilities.incremental || isWatched { readActive(turn) }
    guard abilities.incremental else {
      pollAgain(turn)
      return
    }
    isPolling = true
    pollBegan = turn.now
    turn.actions.append(.changes(mark: mark))
  }

  mutating func changes(_ result: Result<ChangePage, AdapterError>, _ times: CallTimes, _ turn: inout Turn) {
    guard isPolling else { return }
    switch result {
    case .failure(let error):
      called(error, &turn)
      if !Breaker.isEngineWide(error) {
        // It may be the mark that the engine refuses. Without one the next poll gets a new one, and a sweep tells what was between.
        mark = nil
        if isSwept { turn.hasten(&nextSweep, notBefore: (lastSweep ?? turn.now) + settings.pollInterval * settings.idleFactor) }
      }
      endPoll(error, &turn)
    case .success(let page):
      called(nil, &turn)
      let hadMark = mark != nil
      mark = page.mark
      if !page.observations.isEmpty { turn.actions.append(.observe(observed(page.observations, times, .list))) }
      for key in page.deleted where runs[key] != nil && absence.named(key) { gets.add(key, .absence) }
      if !page.complete, hadMark {
        // The mark was too old: a new one first, then a sweep, so that nothing falls between them.
        mark = nil
        turn.hasten(&nextPoll)
        endPoll(nil, &turn)
        return
      }
      if !page.complete || !hadMark && lastSweepBegan.map({ $0 <= pollBegan ?? turn.now }) ?? false {
        // What changed before this mark is told by a sweep that begins now, and by nothing else.
        owesSweepSince = turn.now
        turn.hasten(&nextSweep)
      }
      if page.more {
        turn.actions.append(.changes(mark: mark))
      } else {
        if isSwept { lastSuccess = pollBegan }
        endPoll(nil, &turn)
      }
    }
  }

  private mutating func endPoll(_ error: AdapterError?, _ turn: inout Turn) {
    isPolling = false
    turn.actions.append(.pollEnded(began: pollBegan ?? turn.now, error))
    pollBegan = nil
    if !isSwept {
      // The mark is there, or the adapter cannot give one now; either way the first sweep can begin.
      if sweep == nil, nextSweep == nil { nextSweep = turn.now }
      return
    }
    pollAgain(turn)
  }

  private mutating func pollAgain(_ turn: Turn) {
    var due = settings.pollInterval > .zero ? pollTime(turn) : nil
    if burst > 0 {
      burst -= 1
      let at = turn.jittered(.seconds(1 << (Self.burstLength - 1 - burst)))
      if !runs.active.isEmpty { due = min(due ?? at, at) }
    }
    if let due { nextPoll = min(nextPoll ?? due, due) }
  }

  /// Short while something goes on or somebody watches, long when idle.
  func pollTime(_ turn: Turn) -> Timestamp {
    let isBusy = isWatched || !runs.active.isEmpty
    return turn.jittered(isBusy ? settings.pollInterval : settings.pollInterval * settings.idleFactor)
  }

  /// The active runs that were not read for the longest time.
  private mutating func readActive(_ turn: Turn) {
    let never = Timestamp(microseconds: .min)
    let active = runs.active.map { ($0, runs[$0]?.lastAsked ?? never) }
      .sorted { $0.1 == $1.1 ? RunKey.precedes($0.0, $1.0) : $0.1 < $1.1 }
    for (key, _) in active.prefix(settings.getsPerRound) where !gets.inFlight.contains(key) { gets.add(key, .detail) }
  }

  /// A live list: the incremental poll, or the active runs where there is none (design §4.6). Where that leaves nothing to ask for, only a sweep can
  /// tell.
  mutating func demand(_ turn: inout Turn) {
    guard isSwept else {
      let error = breaker.lastError ?? AdapterError(.unavailable, "the first full read of the engine has not ended")
      turn.actions.append(.pollEnded(began: turn.now, error))
      return
    }
    guard breaker.mayTryLive(now: turn.now) else {
      turn.actions.append(.pollEnded(began: turn.now, breaker.lastError ?? AdapterError(.unavailable, "the engine does not answer")))
      return
    }
    if abilities.incremental {
      guard !isPolling else { return }
      nextPoll = nil
      isPolling = true
      pollBegan = turn.now
      turn.actions.append(.changes(mark: mark))
    } else {
      let active = runs.active.sorted(by: RunKey.precedes).prefix(settings.getsPerRound)
      guard breaker.isClosed else {
        turn.actions.append(.pollEnded(began: turn.now, breaker.lastError ?? AdapterError(.unavailable, "the engine does not answer")))
        return
      }
      guard !active.isEmpty else {
        isSweepDemanded = true
        if sweep == nil {
          nextSweep = nil
          beginSweep(&turn)
        }
        return
      }
      demanded = (Set(active), turn.now)
      for key in active { gets.add(key, .demand) }
    }
  }

  /// One of the runs that a live list waits for was read.
  mutating func demandMet(_ key: RunKey, _ error: AdapterError?, _ turn: inout Turn) {
    guard demanded?.keys.remove(key) != nil, let began = demanded?.began else { return }
    let failed = error.map(Breaker.isEngineWide) ?? false
    guard failed || demanded?.keys.isEmpty ?? true else { return }
    demanded = nil
    turn.actions.append(.pollEnded(began: began, failed ? error : nil))
  }

  // MARK: Templates

  mutating func demandTemplates(_ turn: inout Turn) {
    guard abilities.templates, breaker.mayTryLive(now: turn.now) else {
      turn.actions.append(.templatesEnded(began: turn.now, breaker.lastError))
      return
    }
    guard templatePages == nil else { return }
    nextTemplates = nil
    beginTemplates(&turn)
  }

  mutating func beginTemplates(_ turn: inout Turn) {
    templatePages = []
    templatesBegan = turn.now
    turn.actions.append(.templates(cursor: nil))
  }

  mutating func templates(_ result: Result<TemplatePage, AdapterError>, _ turn: inout Turn) {
    guard templatePages != nil else { return }
    switch result {
    case .failure(let error):
      templatePages = nil
      called(error, &turn)
      nextTemplates = turn.jittered(.seconds(5))
      turn.actions.append(.templatesEnded(began: templatesBegan, error))
    case .success(let page):
      called(nil, &turn)
      templatePages? += page.templates
      if let next = page.next {
        turn.actions.append(.templates(cursor: next))
        return
      }
      turn.actions.append(.observeTemplates(templatePages ?? []))
      templatePages = nil
      nextTemplates = settings.pollInterval == .zero ? nil : turn.jittered(settings.templateInterval)
      turn.actions.append(.templatesEnded(began: templatesBegan, nil))
    }
  }
}
