internal import AdapterKit
internal import JSON

extension Reconciler {
  /// What changed since the last time; and, bounded, active runs one by one.
  mutating func beginPoll(_ turn: inout Turn) {
    if isSwept {
      for key in runs.longestUnasked(runs.outdated, settings.getsPerRound) { gets.add(key, .detail) }
      if settings.pollInterval > .zero || burst > 0, !abilities.incremental || isWatched { readActive(turn) }
    }
    guard abilities.incremental else {
      pollAgain(turn)
      return
    }
    askChanges(&turn)
  }

  mutating func askChanges(_ turn: inout Turn) {
    nextPoll = nil
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
        endPoll(nil, isComplete: false, &turn)
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

  private mutating func endPoll(_ error: AdapterError?, isComplete: Bool = true, _ turn: inout Turn) {
    let began = pollBegan ?? turn.now
    isPolling = false
    pollBegan = nil
    if isSwept, error == nil, !isComplete || owesSweepSince != nil {
      // It did not tell all; whoever waits for it waits for the sweep.
      isSweepDemanded = true
    } else {
      turn.actions.append(.pollEnded(began: began, error))
    }
    changesEnded(began: began, isComplete: error == nil && isComplete, &turn)
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
    for key in runs.longestUnasked(runs.active, settings.getsPerRound) where !gets.inFlight.contains(key) { gets.add(key, .detail) }
  }

  /// A live list: the incremental poll (design §4.6). Where there is none only a sweep tells of new runs; so that many lists do not keep a big engine busy,
  /// such sweeps pause for a multiple of the time that they take, and who does not wait that long is told so.
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
      if !isPolling { askChanges(&turn) }
      return
    }
    guard breaker.isClosed else {
      turn.actions.append(.pollEnded(began: turn.now, breaker.lastError ?? AdapterError(.unavailable, "the engine does not answer")))
      return
    }
    isSweepDemanded = true
    guard sweep == nil else { return }
    turn.hasten(&nextSweep, notBefore: lastSweep.map { $0 + sweepTook * (ReconcilerSettings.demandedSweepShare - 1) })
  }

  // MARK: Templates

  mutating func demandTemplates(_ turn: inout Turn) {
    guard abilities.templates, breaker.mayTryLive(now: turn.now) else {
      turn.actions.append(.templatesEnded(began: turn.now, breaker.lastError))
      return
    }
    guard templatePages == nil else { return }
    beginTemplates(isDemanded: true, &turn)
  }

  mutating func beginTemplates(isDemanded: Bool, _ turn: inout Turn) {
    templatePages = TemplatePage(templates: [])
    templatesBegan = turn.now
    areTemplatesDemanded = isDemanded
    turn.actions.append(.templates(cursor: nil))
  }

  mutating func templates(_ result: Result<TemplatePage, AdapterError>, _ turn: inout Turn) {
    guard var reading = templatePages else { return }
    switch result {
    case .failure(let error):
      called(error, &turn)
      templatesFailed(error, &turn)
    case .success(let page):
      called(nil, &turn)
      reading.templates += page.templates
      reading.unreadable += page.unreadable
      templatePages = reading
      if let next = page.next {
        turn.actions.append(.templates(cursor: next))
        return
      }
      let text = reading.unreadable.first.map {
        "\(reading.unreadable.count) of the engine's templates cannot be understood, for example: \($0)"
      }
      if let text, reading.templates.isEmpty, templateTable.count == 0 {
        // Nothing at all is no reason to show an empty list.
        templatesFailed(AdapterError(.malformedAnswer, text), &turn)
        return
      }
      let isPollingOff = settings.pollInterval == .zero
      let shown = templateTable.take(
        reading.templates, mayRemove: reading.unreadable.isEmpty && (!areTemplatesDemanded || isPollingOff),
        interval: settings.templateInterval,
        now: turn.now)
      turn.actions.append(.observeTemplates(shown))
      templatePages = nil
      if !isPollingOff, !areTemplatesDemanded || nextTemplates == nil { nextTemplates = turn.jittered(settings.templateInterval) }
      if let text {
        become(templateFault: ("UnreadableTemplates", text), turn)
      } else if let hold = templateTable.hold {
        become(
          templateFault: (
            "MissingTemplates",
            "\(hold.missing) of \(templateTable.count) templates are missing from the engine's list; they are shown until that is certain"
          ), turn)
      } else {
        become(templateFault: nil, turn)
      }
      turn.actions.append(.templatesEnded(began: templatesBegan, nil))
    }
  }

  private mutating func templatesFailed(_ error: AdapterError, _ turn: inout Turn) {
    templatePages = nil
    let again = turn.jittered(.seconds(5))
    nextTemplates = min(nextTemplates ?? again, again)
    become(templateFault: ("TemplatesFailed", "the templates cannot be read: \(error.message)"), turn)
    turn.actions.append(.templatesEnded(began: templatesBegan, error))
  }

  /// Shown as far as nothing is wrong with the runs.
  private mutating func become(templateFault fault: (reason: String, message: String)?, _ turn: Turn) {
    let wasShown = templateFault.map { conditions.synced.reason == $0.reason } ?? false
    templateFault = fault
    if wasShown || conditions.synced.status == true { becomeSynced(turn) }
  }
}
