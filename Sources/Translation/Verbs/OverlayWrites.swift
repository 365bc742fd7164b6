internal import AdapterKit
internal import JSON

extension Gateway {
  /// Writes the overlay that was made of a known one. With the run's lock.
  ///
  /// - Returns: false when the engine has another one by now: nothing was written, and what there is was observed.
  func writeOverlay(_ new: Overlay, over old: Overlay, _ ref: RunRef, uid: String, bound: Bound) async throws(AdapterError) -> Bool {
    guard let keeping = bound.abilities.overlays else { throw AdapterError(.unsupported, "cannot keep what changes about a run") }
    let began = clock.now
    let there = Overlay(try await keeping.overlay(of: ref.key, uid: uid, scope: bound.info.scope))
    guard there.json.canonical == old.json.canonical else {
      observe(there, ref, began: began, bound: bound)
      return false
    }
    try await keeping.setOverlay(new.isEmpty ? nil : new.json, of: ref.key, uid: uid, scope: bound.info.scope)
    observe(new, ref, began: began, bound: bound)
    return true
  }

  /// Reads the overlay, changes it and writes it, if that changes anything. With the run's lock.
  func changeOverlay(_ ref: RunRef, uid: String, bound: Bound, _ change: (inout Overlay) -> Void) async throws(AdapterError) {
    guard let keeping = bound.abilities.overlays else { throw AdapterError(.unsupported, "cannot keep what changes about a run") }
    let began = clock.now
    let before = Overlay(try await keeping.overlay(of: ref.key, uid: uid, scope: bound.info.scope))
    var overlay = before
    change(&overlay)
    // Deletions have room: what is reserved for them, and what the account of the fields takes.
    if let fitted = try? overlay.fitted(keeping.overlayLimit, isDeletion: true) { overlay = fitted }
    if overlay != before {
      try await keeping.setOverlay(overlay.isEmpty ? nil : overlay.json, of: ref.key, uid: uid, scope: bound.info.scope)
    }
    observe(overlay, ref, began: began, bound: bound)
  }

  private func observe(_ overlay: Overlay, _ ref: RunRef, began: Timestamp, bound: Bound) {
    guard let run = store.run(ref) else { return }
    let observation = Observation(
      key: ref.key, identity: run.identity, attempt: run.attempt, order: run.order,
      overlay: overlay.isEmpty ? .absent : .present(overlay.json))
    bound.driver.observe([Observed(bound.id, observation, began: began, ended: clock.now, source: .write)])
  }
}
