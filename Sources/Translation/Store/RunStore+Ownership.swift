internal import AdapterKit
internal import JSON

/// Whose an envelope is (design §6): of all runs that carry it the one that it was made for. The others are foreign runs.
///
/// The owner is kept by uid. A change of one carrier is weighed against the owner alone, so that many copies cost no more than as many other runs.
extension RunStore {
  func ownsEnvelope(_ ref: RunRef) -> Bool {
    guard let uid = entry(ref)?.envelope?.uid else { return false }
    return owners[uid] == ref
  }

  /// The uid of the envelope goes with the run that it was made for; the copies do not inherit it.
  mutating func depart(_ ref: RunRef, now: Timestamp) {
    guard let entry = entry(ref), let uid = entry.envelope?.uid, ownsEnvelope(ref) else { return }
    departed.insert(uid, identity: entry.run.identity, isOver: false, now: now)
  }

  /// Keeps the index of envelopes in step with what a run carries.
  mutating func updateCarrier(_ ref: RunRef, _ dirty: inout DirtyRuns) {
    guard let entry = entry(ref) else { return }
    let identity = entry.run.envelope == nil ? nil : projection.envelopeIdentity(of: entry.run, binding: ref.binding)
    guard identity != entry.envelope else { return }
    if let old = entry.envelope?.uid, old != identity?.uid { removeCarrier(ref, of: old, &dirty) }
    if let uid = identity?.uid { carriers[uid, default: []].insert(ref) }
    bindings[ref.binding]?.runs[ref.key]?.envelope = identity
  }

  mutating func removeCarrier(_ ref: RunRef, of uid: String, _ dirty: inout DirtyRuns) {
    carriers[uid]?.remove(ref)
    if carriers[uid]?.isEmpty ?? false { carriers[uid] = nil }
    if owners[uid] == ref { setOwner(of: uid, to: bestCarrier(of: uid), &dirty) }
  }

  /// Decides again after a carrier has changed.
  mutating func settleOwner(of uid: String, after changed: RunRef, _ dirty: inout DirtyRuns) {
    let fits = entry(changed).map { canOwnEnvelope($0, changed) } ?? false
    guard let owner = owners[uid] else {
      if fits { setOwner(of: uid, to: changed, &dirty) }
      return
    }
    if owner == changed {
      // What ranks it never falls while it can own the envelope at all.
      if !fits { setOwner(of: uid, to: bestCarrier(of: uid), &dirty) }
    } else if fits, precedes(changed, owner) {
      setOwner(of: uid, to: changed, &dirty)
    }
  }

  private mutating func setOwner(of uid: String, to owner: RunRef?, _ dirty: inout DirtyRuns) {
    let old = owners[uid]
    guard old != owner else { return }
    owners[uid] = owner
    for ref in [old, owner] { if let ref { dirty.insert(ref) } }
  }

  private func bestCarrier(of uid: String) -> RunRef? {
    var best: RunRef?
    for ref in carriers[uid] ?? [] {
      guard let entry = entry(ref), canOwnEnvelope(entry, ref), best.map({ precedes(ref, $0) }) ?? true else { continue }
      best = ref
    }
    return best
  }

  /// The order in which runs that could own the same envelope do: the one whose submission was answered, the one that has the key of the submission in an
  /// engine that gives a key once, then by their keys.
  private func precedes(_ a: RunRef, _ b: RunRef) -> Bool {
    guard let first = entry(a), let second = entry(b) else { return false }
    if first.wasSubmittedHere != second.wasSubmittedHere { return first.wasSubmittedHere }
    let (isNamed, other) = (isNamedByEngine(first, a), isNamedByEngine(second, b))
    if isNamed != other { return isNamed }
    return b.key == a.key ? a.binding < b.binding : RunKey.precedes(a.key, b.key)
  }

  /// An engine's answer can be about a copy of the envelope: only a run that was made when the envelope was, and that is no repetition, can own it.
  private func canOwnEnvelope(_ entry: RunEntry, _ ref: RunRef) -> Bool {
    guard let envelope = entry.envelope, let core = entry.run.core, departed.admits(envelope.uid, identity: entry.run.identity) else {
      return false
    }
    if entry.wasSubmittedHere, entry.provenUID == envelope.uid { return true }
    guard !entry.run.isRebuild else { return false }
    if entry.provenUID == envelope.uid || isNamedByEngine(entry, ref) { return true }
    guard let created = core.createdAt else { return true }
    return bindings[ref.binding]?.clock.fits(created: created, submitted: envelope.submittedAt) ?? false
  }

  /// Its id is the submission's key, and the engine gives a key to one run only: no copy can have it, and no time counts against it.
  private func isNamedByEngine(_ entry: RunEntry, _ ref: RunRef) -> Bool {
    guard let key = entry.envelope?.submissionKey, bindings[ref.binding]?.settings.enforcesSubmissionKeys ?? false else { return false }
    return entry.run.key.id == key && !entry.run.isRebuild
  }

  /// Remembers that a run was made for the envelope it carries, and learns of the engine's clock (``EngineClock``).
  mutating func prove(_ ref: RunRef, _ observed: Observed, isNew: Bool, _ dirty: inout DirtyRuns) {
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
      if let created {
        clockChanged = bindings[ref.binding]?.clock.submitted(created: created, began: envelope.submittedAt, ended: observed.ended) ?? false
      }
    } else if entry.provenUID != envelope.uid, !entry.run.isRebuild, let created, let clock = bindings[ref.binding]?.clock {
      if clock.fits(created: created, submitted: envelope.submittedAt) || departed.named(envelope.uid, identity: entry.run.identity)
        || isNamedByEngine(entry, ref)
      {
        bindings[ref.binding]?.runs[ref.key]?.provenUID = envelope.uid
      }
      clockChanged =
        bindings[ref.binding]?.clock.saw(envelope.uid, created: created, submitted: envelope.submittedAt) ?? false
    }
    settleOwner(of: envelope.uid, after: ref, &dirty)
    if clockChanged { judgeAgain(ref.binding, &dirty) }
  }

  /// The engine's clock is known better: runs whose times did not fit their envelope may do so now.
  mutating func judgeAgain(_ binding: BindingID, _ dirty: inout DirtyRuns) {
    guard let known = bindings[binding] else { return }
    // Whether a run ended before its namespace was made depends on the clock, too.
    if !namespaceCreations.isEmpty { for owner in owners.values where owner.binding == binding { dirty.insert(owner) } }
    for (key, entry) in known.runs.sorted(by: { RunKey.precedes($0.key, $1.key) }) {
      guard let envelope = entry.envelope, entry.provenUID != envelope.uid, !entry.run.isRebuild, let created = entry.run.core?.createdAt,
        known.clock.fits(created: created, submitted: envelope.submittedAt)
      else { continue }
      bindings[binding]?.runs[key]?.provenUID = envelope.uid
      settleOwner(of: envelope.uid, after: RunRef(binding, key), &dirty)
    }
  }
}
