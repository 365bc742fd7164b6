internal import AdapterKit
package import JSON

extension RunStore {
  /// A complete reading of the overlays that an adapter keeps apart from the runs.
  ///
  /// One that is known goes after the second reading in a row without it: pages shift while they are read, and a row that was missed once would undo a
  /// deletion.
  package mutating func observeOverlays(
    _ binding: BindingID, _ byUID: [String: JSONValue], began: Timestamp, ended: Timestamp, now: Timestamp
  ) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    guard let runs = bindings[binding]?.runs else { return outcome }
    let reading = KnownOverlays(byUID: byUID, began: began, ended: ended)
    bindings[binding]?.overlays = reading
    var dirty = DirtyRuns()
    for key in runs.keys.sorted(by: RunKey.precedes) {
      guard var run = runs[key]?.run else { continue }
      let ref = RunRef(binding, key)
      if run.overlayFacet.isSeen, began < run.overlayFacet.ended { continue }
      guard let entry = runs[key], let uid = entry.uid ?? entry.envelope.map({ successor(of: $0.uid, entry, binding) }) else {
        dirty.insert(ref)
        continue
      }
      let before = run.overlayFacet.value
      if byUID[uid] == nil, run.overlay != nil {
        let isSecond = runs[key]?.overlayMissed.map { $0 >= run.overlayFacet.ended } ?? false
        bindings[binding]?.runs[key]?.overlayMissed = began
        if !isSecond { continue }
      }
      run.setOverlay(byUID[uid], of: reading)
      bindings[binding]?.runs[key]?.run = run
      if before != run.overlayFacet.value { dirty.insert(ref) }
    }
    project(dirty, now: now, &outcome)
    return outcome
  }

  /// Objects that are not made of runs or templates: WorkflowBackends.
  package mutating func commit(_ changes: [ObjectChange], now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    outcome.touched = objects.commit(changes, now: now)
    return outcome
  }
}
