package import AdapterKit
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
      guard let uid = runs[key]?.uid ?? runs[key]?.envelope?.uid else {
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

  /// A complete list of a binding's templates. One that is missing goes after the second complete list in a row without it.
  package mutating func observeTemplates(_ binding: BindingID, _ templates: [EngineTemplate], now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    guard let known = bindings[binding]?.templates, let wasListed = bindings[binding]?.areTemplatesListed else { return outcome }
    var present: [String: BindingRuns.TemplateEntry] = [:]
    var changes: [ObjectChange] = []
    for template in templates {
      guard let draft = projection.project(template, binding: binding) else { continue }
      let key = StoredObject.key(namespace: draft.namespace, name: draft.name)
      // Two bindings of one namespace can know the same template: the first that told of it keeps it.
      if known[key] == nil, objects[.workflowtemplates].object(key) != nil { continue }
      guard present.updateValue(BindingRuns.TemplateEntry(namespace: draft.namespace, name: draft.name), forKey: key) == nil else {
        continue
      }
      changes.append(.upsert(draft))
    }
    for (key, var entry) in known.sorted(by: { $0.key < $1.key }) where present[key] == nil {
      entry.misses += 1
      if entry.misses < 2 {
        present[key] = entry
      } else {
        changes.append(.remove(.workflowtemplates, namespace: entry.namespace, name: entry.name))
      }
    }
    bindings[binding]?.templates = present
    bindings[binding]?.areTemplatesListed = true
    outcome.touched = objects.commit(changes, silently: !wasListed, now: now)
    return outcome
  }

  /// Objects that are not made of runs or templates: WorkflowBackends.
  package mutating func commit(_ changes: [ObjectChange], now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    outcome.touched = objects.commit(changes, now: now)
    return outcome
  }
}
