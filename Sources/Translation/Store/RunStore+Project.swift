internal import AdapterKit
internal import JSON
internal import OrderedCollections

extension RunStore {
  /// Projects runs again and commits what changed, until no other run is affected.
  mutating func project(_ dirty: DirtyRuns, now: Timestamp, _ outcome: inout ObserveOutcome) {
    var dirty = dirty
    // A run that gives up a name makes way for the next that wants it. Every round settles at least one name; the bound is a safety net.
    for _ in 0..<8 where !dirty.isEmpty {
      var affected = DirtyRuns()
      var changes: [ObjectChange] = []
      for ref in dirty.order { changes += place(ref, now: now, &affected) }
      commit(changes, dirty.order.map(\.binding), now: now, &outcome)
      dirty = affected
    }
  }

  mutating func commit(_ changes: [ObjectChange], _ from: [BindingID], now: Timestamp, _ outcome: inout ObserveOutcome) {
    guard !changes.isEmpty else { return }
    // Before its first sweep has ended, nobody can have read a binding's namespaces.
    let silently = from.allSatisfy { !(bindings[$0]?.isSwept ?? true) }
    for (resource, namespaces) in objects.commit(changes, silently: silently, now: now) {
      outcome.touched[resource, default: []].formUnion(namespaces)
    }
  }

  /// Shows a run as what it projects to now, or not at all.
  private mutating func place(_ ref: RunRef, now: Timestamp, _ affected: inout DirtyRuns) -> [ObjectChange] {
    guard let before = entry(ref) else { return [] }
    let draft = draft(ref, now: now)
    if let uid = before.uid, uid != entry(ref)?.uid { unlist(uid, ref) }
    guard let draft else { return release(ref, &affected) }
    let claim = StoredObject.key(namespace: draft.namespace, name: draft.name)
    var changes: [ObjectChange] = []
    if let old = entry(ref)?.claim, old != claim { changes += release(ref, &affected) }
    if entry(ref)?.claim == nil {
      claims[claim, default: []].append(ref)
      bindings[ref.binding]?.runs[ref.key]?.claim = claim
    }
    if claims[claim]!.count > 1 {
      let holder = claims[claim]![0]
      claims[claim]!.sort(by: outranks)
      let winner = claims[claim]![0]
      if holder != winner { hide(holder) }
      if winner != ref {
        if entry(winner)?.isShown != true { affected.insert(winner) }
        hide(ref)
        return changes
      }
    }
    bindings[ref.binding]?.runs[ref.key]?.isShown = true
    shown[draft.uid] = ref
    noteTerminating(draft.uid, ref.binding, draft.metadata["deletionTimestamp"] != nil)
    changes.append(.upsert(draft))
    return changes
  }

  /// Of two runs that want one name: ours before foreign ones, the older one, the lower id.
  private func outranks(_ a: RunRef, _ b: RunRef) -> Bool {
    let (ours, theirs) = (ownsEnvelope(a), ownsEnvelope(b))
    if ours != theirs { return ours }
    let last = Timestamp(microseconds: .max)
    let (first, second) = (entry(a)?.run.core?.createdAt ?? last, entry(b)?.run.core?.createdAt ?? last)
    if first != second { return first < second }
    return a.key == b.key ? a.binding < b.binding : RunKey.precedes(a.key, b.key)
  }

  /// The object is taken over by another run; what is in the store is replaced there.
  private mutating func hide(_ ref: RunRef) {
    if let uid = entry(ref)?.uid { unlist(uid, ref) }
    bindings[ref.binding]?.runs[ref.key]?.isShown = false
  }

  private mutating func unlist(_ uid: String, _ ref: RunRef) {
    guard shown[uid] == ref else { return }
    shown[uid] = nil
    noteTerminating(uid, ref.binding, false)
  }

  /// Gives up the name of a run. The next that wants it is projected again; where there is none, the object goes.
  private mutating func release(_ ref: RunRef, _ affected: inout DirtyRuns) -> [ObjectChange] {
    guard let entry = entry(ref), let claim = entry.claim else { return [] }
    hide(ref)
    bindings[ref.binding]?.runs[ref.key]?.claim = nil
    claims[claim]?.removeAll { $0 == ref }
    guard let next = claims[claim]?.first else {
      claims[claim] = nil
      guard let object = objects[.workflows].object(claim) else { return [] }
      return [.remove(.workflows, namespace: object.draft.namespace, name: object.draft.name)]
    }
    if self.entry(next)?.isShown != true { affected.insert(next) }
    return []
  }

  /// Takes a run out of the store.
  mutating func drop(_ ref: RunRef, _ affected: inout DirtyRuns) -> [ObjectChange] {
    let changes = release(ref, &affected)
    if let uid = entry(ref)?.envelope?.uid { removeCarrier(ref, of: uid, &affected) }
    bindings[ref.binding]?.runs[ref.key] = nil
    return changes
  }

  /// nil while the run is not to be shown.
  private mutating func draft(_ ref: RunRef, now: Timestamp) -> ObjectDraft? {
    guard let entry = entry(ref), let binding = bindings[ref.binding], entry.run.core != nil, entry.run.envelopeFacet.isSeen else {
      return nil
    }
    guard var (draft, first) = project(entry.run, ref, now: now) else { return nil }
    let isOfAnother = entry.uid.map { $0 != draft.uid } ?? false
    if binding.settings.readsOverlaysApart, !entry.run.overlayFacet.isSeen || isOfAnother && binding.overlays != nil {
      guard let overlays = binding.overlays else { return nil }
      var run = entry.run
      run.setOverlay(overlays.byUID[draft.uid], of: overlays)
      bindings[ref.binding]?.runs[ref.key]?.run = run
      name(ref, draft.uid, first)
      if run.overlay != entry.run.overlay {
        guard let changed = project(run, ref, now: now) else { return nil }
        (draft, first) = changed
      }
    }
    name(ref, draft.uid, first)
    if endedBeforeItsNamespace(entry, ref, draft.namespace) { return nil }
    guard !departed.isOver(draft.uid), !hiddenNamespaces.contains(draft.namespace) else { return nil }
    if isOver(entry, binding.settings, now: now), !Self.isHeld(draft), !entry.isShown { return nil }
    return draft
  }

  private mutating func name(_ ref: RunRef, _ uid: String, _ first: String) {
    bindings[ref.binding]?.runs[ref.key]?.uid = uid
    bindings[ref.binding]?.runs[ref.key]?.firstUID = first
  }

  /// The object of a run, under the uid that it has by now, and its first one (``Succession``).
  private mutating func project(_ run: KnownRun, _ ref: RunRef, now: Timestamp) -> (ObjectDraft, first: String)? {
    guard var draft = projection.project(run, binding: ref.binding, ownsEnvelope: ownsEnvelope(ref)), var entry = entry(ref) else {
      return nil
    }
    let first = draft.uid
    var uid = successor(of: first, entry, ref.binding)
    if run.isActive, entry.renewedAt == nil, departed.isOver(uid) || run.waitsForALaterTry {
      entry.renewedAt = now
      bindings[ref.binding]?.runs[ref.key]?.renewedAt = now
      uid = successor(of: first, entry, ref.binding)
    }
    if uid != first {
      draft.uid = uid
      draft.metadata["uid"] = .string(uid)
    }
    return (draft, first)
  }

  /// It was a Workflow of a namespace of the same name that is gone: the one that is there now begins without it. Runs that others started are the
  /// engine's history, which every namespace shows.
  private func endedBeforeItsNamespace(_ entry: RunEntry, _ ref: RunRef, _ namespace: String) -> Bool {
    guard let made = namespaceCreations[namespace], let ended = entry.endedAt, let clock = bindings[ref.binding]?.clock else {
      return false
    }
    return ended - clock.offset < made && ownsEnvelope(ref)
  }
}

extension KnownRun {
  /// When that one will have begun is not known yet.
  fileprivate var waitsForALaterTry: Bool {
    guard core?.startedAt == nil, case .number(let number) = attempt else { return false }
    return number > 1
  }

  /// From a reading of all overlays: none in it means that there is none.
  mutating func setOverlay(_ overlay: JSONValue?, of reading: KnownOverlays) {
    overlayFacet.value = overlay.map { .present($0) } ?? .absent
    overlayFacet.began = reading.began
    overlayFacet.ended = reading.ended
    overlayFacet.source = .list
  }
}
