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
      let isNew = result.envelopeChanged || result.coreChanged
      // Whether an envelope fits depends on the run's core too.
      if isNew { updateCarrier(ref, &dirty) }
      prove(ref, observed, isNew: isNew, &dirty)
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
        // The uid of the envelope, too, where the run has it no longer: no copy takes it.
        depart(ref, now: now)
        if let uid = entry.uid { departed.insert(uid, identity: entry.run.identity, isOver: true, now: now) }
        changes += drop(ref, &dirty)
        outcome.gone.append(ref)
      }
    }
    commit(changes, outcome.gone.map(\.binding), now: now, &outcome)
    project(dirty, now: now, &outcome)
    return outcome
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
    firstUID(run, id).map { successor(of: $0, RunEntry(run), id) }
  }

  private func firstUID(_ run: KnownRun, _ id: BindingID) -> String? {
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
