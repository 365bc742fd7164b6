internal import AdapterKit
package import JSON
internal import OrderedCollections

extension RunStore {
  /// Takes in a batch of what was learnt; readers see all of it or nothing.
  package mutating func observe(_ batch: [Observed], now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    var dirty = DirtyRuns()
    var wants: [RunRef: RunSummary.Wants] = [:]
    var known: [RunRef] = []
    for observed in batch {
      let ref = RunRef(observed.binding, observed.observation.key)
      guard bindings[observed.binding] != nil, isWorthKnowing(observed, ref, now: now) else { continue }
      if let known = entry(ref)?.run, known.identity != observed.observation.identity {
        // The engine gave the key of a run that is gone to another one.
        guard observed.began >= known.lastSeen else { continue }
        depart(ref, now: now)
        commit(drop(ref, &dirty), [ref.binding], now: now, &outcome)
      }
      let result = merge(observed, ref, now: now)
      known.append(ref)
      if result.changed { dirty.insert(ref) }
      let before = entry(ref)?.envelope?.uid
      // Whether an envelope fits depends on the run's core too.
      if result.envelopeChanged || result.coreChanged { updateCarrier(ref) }
      prove(ref, observed, isNew: result.envelopeChanged || result.coreChanged, &dirty)
      if let before, before != entry(ref)?.envelope?.uid { for carrier in carriers[before] ?? [] { dirty.insert(carrier) } }
      if result.envelopeChanged || result.coreChanged, let uid = entry(ref)?.envelope?.uid, let carriers = carriers[uid], carriers.count > 1
      {
        for carrier in carriers { dirty.insert(carrier) }
      }
      if result.needsConfirmation { wants[ref, default: []].insert(.confirmation) }
      if result.needsRefresh { wants[ref, default: []].insert(.refresh) }
      if result.coreChanged { wants[ref, default: []].insert(.changed) }
    }
    project(dirty, now: now, &outcome)
    for ref in known { if let summary = summary(ref, wants[ref] ?? []) { outcome.summaries.append(summary) } }
    return outcome
  }

  /// A run that is proven to be gone from its engine.
  package mutating func forget(_ refs: [RunRef], now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    var dirty = DirtyRuns()
    var changes: [RunRef: [ObjectChange]] = [:]
    for ref in refs {
      guard let run = entry(ref)?.run else {
        // Whoever remembers it shall not.
        outcome.gone.append(ref)
        continue
      }
      depart(ref, now: now)
      bindings[ref.binding]?.forgotten[ref.key] = (run.identity, now)
      changes[ref] = drop(ref, &dirty)
      outcome.gone.append(ref)
    }
    commit(outcome.gone.flatMap { changes[$0] ?? [] }, refs.map(\.binding), now: now, &outcome)
    project(dirty, now: now, &outcome)
    return outcome
  }

  /// Lets finished runs leave whose window is over: DELETED, and never back under the same uid.
  package mutating func expire(now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    var dirty = DirtyRuns()
    var changes: [ObjectChange] = []
    departed.prune(before: now - (bindings.values.map(\.settings.window).max() ?? .zero))
    for (id, binding) in bindings.sorted(by: { $0.key < $1.key }) {
      bindings[id]?.forgetForgotten(now: now)
      let over = binding.runs.values.filter { isOver($0, binding.settings, now: now) && !isHeld($0, id) }
        .sorted { RunKey.precedes($0.run.key, $1.run.key) }
      for entry in over {
        let ref = RunRef(id, entry.run.key)
        if let uid = entry.uid { departed.insert(uid, identity: entry.run.identity, isOver: true, now: now) }
        changes += drop(ref, &dirty)
        outcome.gone.append(ref)
      }
    }
    commit(changes, outcome.gone.map(\.binding), now: now, &outcome)
    project(dirty, now: now, &outcome)
    return outcome
  }

  /// The uid of an envelope goes with the run that it was made for; the copies do not inherit it.
  private mutating func depart(_ ref: RunRef, now: Timestamp) {
    guard let entry = entry(ref), let uid = entry.envelope?.uid, ownsEnvelope(ref) else { return }
    departed.insert(uid, identity: entry.run.identity, isOver: false, now: now)
  }

  /// Remembers that a run was made for the envelope it carries, and learns of the engine's clock (``EngineClock``).
  private mutating func prove(_ ref: RunRef, _ observed: Observed, isNew: Bool, _ dirty: inout DirtyRuns) {
    guard isNew || observed.source == .write, let entry = entry(ref), let envelope = entry.envelope else { return }
    let created = entry.run.core?.createdAt
    var clockChanged = false
    // Both by our clock: the answer of a write that shows an envelope made just now is the answer to its submission.
    if observed.source == .write, case .present = observed.observation.core, !entry.wasSubmittedHere, !entry.run.isRebuild,
      !(carriers[envelope.uid] ?? []).contains(where: { $0 != ref && self.entry($0)?.provenUID == envelope.uid }),
      observed.began >= envelope.submittedAt, observed.began - envelope.submittedAt <= EngineClock.tolerance
    {
      bindings[ref.binding]?.runs[ref.key]?.wasSubmittedHere = true
      bindings[ref.binding]?.runs[ref.key]?.provenUID = envelope.uid
      dirty.insert(ref)
      for carrier in carriers[envelope.uid] ?? [] { dirty.insert(carrier) }
      if let created {
        clockChanged = bindings[ref.binding]?.clock.submitted(created: created, began: envelope.submittedAt, ended: observed.ended) ?? false
      }
    } else if entry.provenUID != envelope.uid, !entry.run.isRebuild, let created, let clock = bindings[ref.binding]?.clock {
      if clock.fits(created: created, submitted: envelope.submittedAt) || departed.named(envelope.uid, identity: entry.run.identity) {
        bindings[ref.binding]?.runs[ref.key]?.provenUID = envelope.uid
      }
      clockChanged =
        bindings[ref.binding]?.clock.saw(envelope.uid, created: created, submitted: envelope.submittedAt) ?? false
    }
    if clockChanged { judgeAgain(ref.binding, &dirty) }
  }

  /// The engine's clock is known better: runs whose times did not fit their envelope may do so now.
  private mutating func judgeAgain(_ binding: BindingID, _ dirty: inout DirtyRuns) {
    guard let known = bindings[binding] else { return }
    for (key, entry) in known.runs.sorted(by: { RunKey.precedes($0.key, $1.key) }) {
      guard let envelope = entry.envelope, entry.provenUID != envelope.uid, !entry.run.isRebuild, let created = entry.run.core?.createdAt,
        known.clock.fits(created: created, submitted: envelope.submittedAt)
      else { continue }
      bindings[binding]?.runs[key]?.provenUID = envelope.uid
      for carrier in carriers[envelope.uid] ?? [] { dirty.insert(carrier) }
    }
  }

  func isOver(_ entry: RunEntry, _ settings: BindingSettings, now: Timestamp) -> Bool {
    entry.endedAt.map { $0 < now - settings.window } ?? false
  }

  /// Objects with finalizers, and those being deleted, stay whatever their age; also while their namespace is hidden.
  private func isHeld(_ entry: RunEntry, _ binding: BindingID) -> Bool {
    if entry.isShown, let claim = entry.claim, let draft = objects[.workflows].object(claim)?.draft { return Self.isHeld(draft) }
    guard entry.envelope == nil || ownsEnvelope(RunRef(binding, entry.run.key)) else {
      // Whether it is a copy may not be known yet.
      guard let known = bindings[binding] else { return false }
      return !(known.isSwept && known.clock.isKnown) && mayBeHeld(entry.run, binding)
    }
    return mayBeHeld(entry.run, binding)
  }

  /// What a run carries says that it is held, or is not known yet. After the first sweep everything held is known: there is nothing to wait for.
  private func mayBeHeld(_ run: KnownRun, _ id: BindingID) -> Bool {
    guard let binding = bindings[id] else { return false }
    var held: Bool?
    if binding.settings.readsOverlaysApart, !run.overlayFacet.isSeen {
      guard let overlays = binding.overlays else { return true }
      if !overlays.byUID.isEmpty, run.core != nil, let uid = uid(run, id) {
        held = overlays.byUID[uid].flatMap(Held.says)
      }
    } else {
      held = run.overlay.flatMap(Held.says)
    }
    if let held { return held }
    return run.envelopeFacet.isSeen ? run.envelope.map(Held.says(envelope:)) ?? false : !binding.isSwept
  }

  /// That names the overlay of a run that is not in the store; without looking whether others carry its envelope, too.
  private func uid(_ run: KnownRun, _ id: BindingID) -> String? {
    if run.envelope != nil, let uid = projection.envelopeIdentity(of: run, binding: id)?.uid { return uid }
    // To learn the uid of a foreign run takes a projection; nothing to learn where no overlay holds anything.
    guard bindings[id]?.overlays?.holding.isEmpty == false else { return nil }
    return projection.project(run, binding: id, ownsEnvelope: false)?.uid
  }

  static func isHeld(_ draft: ObjectDraft) -> Bool {
    draft.metadata["deletionTimestamp"] != nil || !(draft.metadata["finalizers"]?.array ?? []).isEmpty
  }

  /// Runs that ended before the window began, are not known and are not held are not even kept; nor what a call saw of a run before it was gone.
  private func isWorthKnowing(_ observed: Observed, _ ref: RunRef, now: Timestamp) -> Bool {
    guard entry(ref) == nil, let binding = bindings[ref.binding] else { return true }
    if let forgotten = binding.forgotten[ref.key], forgotten.identity == observed.observation.identity, observed.began < forgotten.at {
      return false
    }
    var entry = RunEntry(KnownRun(observed.observation, began: observed.began, now: now))
    _ = entry.run.merge(observed)
    return !isOver(entry, binding.settings, now: now) || mayBeHeld(entry.run, ref.binding)
  }

  private mutating func merge(_ observed: Observed, _ ref: RunRef, now: Timestamp) -> MergeResult {
    if entry(ref) == nil {
      bindings[ref.binding]?.runs[ref.key] = RunEntry(KnownRun(observed.observation, began: observed.began, now: now))
    }
    // In place: neither the run nor the table is copied.
    let result = bindings[ref.binding]?.runs[ref.key]?.run.merge(observed) ?? MergeResult()
    if result.coreChanged { bindings[ref.binding]?.runs[ref.key]?.coreChangedAt = observed.began }
    return result
  }

  /// Keeps the index of envelopes in step with what a run carries.
  mutating func updateCarrier(_ ref: RunRef) {
    guard let entry = entry(ref) else { return }
    let identity = entry.run.envelope == nil ? nil : projection.envelopeIdentity(of: entry.run, binding: ref.binding)
    guard identity != entry.envelope else { return }
    if let old = entry.envelope?.uid { removeCarrier(ref, of: old) }
    if let uid = identity?.uid { carriers[uid, default: []].append(ref) }
    bindings[ref.binding]?.runs[ref.key]?.envelope = identity
  }

  mutating func removeCarrier(_ ref: RunRef, of uid: String) {
    carriers[uid]?.removeAll { $0 == ref }
    if carriers[uid]?.isEmpty ?? false { carriers[uid] = nil }
  }

  /// Of all runs that carry an envelope, the one it was made for (design §6); the others are foreign.
  func ownsEnvelope(_ ref: RunRef) -> Bool {
    guard let entry = entry(ref), let uid = entry.envelope?.uid, canOwnEnvelope(entry, ref), let carriers = carriers[uid] else {
      return false
    }
    return carriers.allSatisfy { other in
      guard other != ref, let candidate = self.entry(other), canOwnEnvelope(candidate, other) else { return true }
      if entry.wasSubmittedHere != candidate.wasSubmittedHere { return entry.wasSubmittedHere }
      return other.key == ref.key ? ref.binding < other.binding : RunKey.precedes(ref.key, other.key)
    }
  }

  private func canOwnEnvelope(_ entry: RunEntry, _ ref: RunRef) -> Bool {
    guard let uid = entry.envelope?.uid, let clock = bindings[ref.binding]?.clock, entry.canOwnEnvelope(clock) else { return false }
    return departed.admits(uid, identity: entry.run.identity)
  }

  func summary(_ ref: RunRef, _ wants: RunSummary.Wants) -> RunSummary? {
    guard let entry = entry(ref) else { return nil }
    var wants = wants
    if !entry.run.envelopeFacet.isSeen || !entry.run.coreFacet.isSeen { wants.insert(.envelope) }
    if entry.run.stepsFacet.began < entry.coreChangedAt || !entry.run.stepsFacet.isSeen { wants.insert(.steps) }
    return RunSummary(
      ref: ref, lastSeen: entry.run.lastSeen, createdAt: entry.run.core?.createdAt, endedAt: entry.endedAt, isActive: entry.run.isActive,
      cancelAt: entry.envelope?.timeout == nil
        ? nil : entry.cancelAt(ownsEnvelope: ownsEnvelope(ref), bindings[ref.binding]?.clock ?? EngineClock()), wants: wants)
  }
}
