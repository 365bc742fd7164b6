internal import AdapterKit
internal import JSON
package import KubeWire
internal import OrderedCollections

extension Gateway {
  /// POST …/retry: runs a finished run again.
  ///
  /// - Returns: the same object with a greater attempt or, where the engine makes a new run of it, the new object.
  package func retry(namespace: String, name: String, options: WriteOptions, context: RequestContext) async throws(StatusError)
    -> StoredObject
  {
    let current = try await get(.workflows, namespace: namespace, name: name, options: GetOptions(), context: context)
    let (bound, ref) = try located(uid: current.draft.uid, name: name)
    note(bound, ref.key, context)
    try await checkUse(bound, context)
    try checkOwnership(bound, current, isOurs: isOurs(ref), write: "retry")
    guard let retrying = bound.abilities.retrying else {
      throw .methodNotSupported(
        "retry", resource: "workflows", group: group,
        advice: bound.adapter.traits.limitations["retry"] ?? "\(bound.adapter.traits.engine) cannot run a run again")
    }
    if current.draft.metadata["deletionTimestamp"] != nil {
      throw .conflict(resource: "workflows", group: group, name: name, reason: "object is being deleted")
    }
    guard ref.key.kind == .run else {
      throw .methodNotSupported(
        "retry", resource: "workflows", group: group, advice: "a schedule runs nothing itself; suspend or delete it")
    }
    let tried = store.run(ref)
    let attributes = try await admitted("retry", current, options, context)
    defer { admission.finish(attributes) }
    if options.dryRun { return current }
    try context.checkDeadline(clock.now)
    do throws(AdapterError) {
      let key = try await bound.driver.withRunLock(ref.key) { () async throws(AdapterError) -> RunKey in
        try check(ref, isStill: tried, uid: current.draft.uid)
        let began = clock.now
        guard let observation = try await retrying.retry(ref.key, scope: bound.info.scope) else { return ref.key }
        observe(Observed(bound.id, observation, began: began, ended: clock.now, source: .write))
        if observation.key == ref.key, Overlay(store.run(ref)?.overlay).spec["cancel"] != nil {
          // The cancel was of the try before: the next one can be cancelled again. Not worth failing for.
          try? await changeOverlay(ref, uid: store.object(of: ref)?.draft.uid ?? current.draft.uid, bound: bound) { overlay in
            overlay.spec["cancel"] = nil
            overlay.generation += 1
          }
        }
        return observation.key
      }
      _ = await bound.driver.refresh(key, startedAfter: clock.now, within: Self.patience)
      return store.object(of: RunRef(bound.id, key)) ?? current
    } catch {
      throw await refused(error, ref, name: name, bound: bound)
    }
  }

  /// With the run's lock: of two retries that were asked for at once, one runs it again.
  private func check(_ ref: RunRef, isStill tried: KnownRun?, uid: String) throws(AdapterError) {
    guard let run = store.run(ref), run.attempt == tried?.attempt, run.attemptCount == tried?.attemptCount,
      run.isActive == tried?.isActive, let object = store.object(of: ref), object.draft.uid == uid,
      object.draft.metadata["deletionTimestamp"] == nil
    else { throw AdapterError(.conflict, "it was retried or deleted meanwhile") }
  }
}
