internal import AdapterKit
internal import JSON
package import KubeWire
internal import OrderedCollections

/// What a delete did.
package enum DeleteResult: Sendable {
  /// Gone at once (kubernetes-wire C24).
  case gone(uid: String)
  /// Still there until the run has ended: the object with its deletionTimestamp.
  case pending(StoredObject)
}

extension Gateway {
  /// DELETE: cancels an active run and removes it from the engine when it has ended. The intention is kept in the run's overlay, so it survives us.
  ///
  /// - Throws: 403 naming the binding's `access`, 409 for preconditions, 405 where the engine can neither delete nor remember.
  package func delete(namespace: String, name: String, options: DeleteOptions, context: RequestContext) async throws(StatusError)
    -> DeleteResult
  {
    let current = try await get(.workflows, namespace: namespace, name: name, options: GetOptions(), context: context)
    let (bound, ref) = try located(uid: current.draft.uid, name: name)
    try checkDeletion(current, ref, bound, options)
    if options.dryRun {
      return store.run(ref)?.isActive ?? true && ref.key.kind == .run ? .pending(current) : .gone(uid: current.draft.uid)
    }
    let result = await bound.driver.withRunLock(ref.key) { () async -> Result<DeleteResult, StatusError> in
      do throws(StatusError) {
        return .success(try await self.deleteAlone(ref, uid: current.draft.uid, bound: bound, options: options))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// With the run's lock: what was true before may have changed while we waited for it.
  private func deleteAlone(_ ref: RunRef, uid: String, bound: Bound, options: DeleteOptions) async throws(StatusError) -> DeleteResult {
    guard let object = store.object(of: ref), object.draft.uid == uid else { return .gone(uid: uid) }
    try checkDeletion(object, ref, bound, options)
    do throws(AdapterError) {
      return bound.info.deletionPolicy == .retain
        ? try await hide(ref, uid: uid, bound: bound) : try await remove(ref, uid: uid, bound: bound)
    } catch {
      throw bound.refusal(object.draft.name, group: group).status(error, isWrite: true)
    }
  }

  private func checkDeletion(_ object: StoredObject, _ ref: RunRef, _ bound: Bound, _ options: DeleteOptions) throws(StatusError) {
    let name = object.draft.name
    try check(options.preconditions, object)
    try checkOwnership(bound, object, isOurs: isOurs(ref), write: "delete")
    if let policy = options.effectivePolicy, policy != .background {
      throw invalid(
        name,
        [
          FieldError(
            .notSupported, field: "propagationPolicy", badValue: .string(policy.rawValue),
            detail: "supported values: \"Background\"; Foreground and Orphan need finalizers, which are not supported yet")
        ])
    }
    let isActive = ref.key.kind == .run && store.run(ref)?.isActive ?? true
    if bound.info.deletionPolicy == .retain ? bound.abilities.overlays == nil : bound.abilities.deleting == nil {
      throw .methodNotSupported(
        "delete", resource: "workflows", group: group,
        advice: "\(bound.adapter.traits.engine) can neither remove nor hide runs" + (isActive ? "; cancel it instead" : ""))
    }
    if isActive, bound.abilities.cancelling == nil || bound.abilities.overlays == nil {
      throw .methodNotSupported(
        "delete", resource: "workflows", group: group,
        advice: "\(bound.adapter.traits.engine) cannot end an active run and remember that it is to go; delete it when it has ended")
    }
  }

  /// `deletionPolicy: Retain`: the run stays in the engine and is not shown any more.
  private func hide(_ ref: RunRef, uid: String, bound: Bound) async throws(AdapterError) -> DeleteResult {
    try await changeOverlay(ref, uid: uid, bound: bound) { $0.hidden = true }
    try await end(ref, uid: uid, bound: bound)
    return .gone(uid: uid)
  }

  /// `deletionPolicy: Delete`. Every call does all that is still to be done, so that one that failed half-way is made good by the next.
  func remove(_ ref: RunRef, uid: String, bound: Bound) async throws(AdapterError) -> DeleteResult {
    if ref.key.kind == .run, store.run(ref)?.isActive ?? true {
      if Overlay(store.run(ref)?.overlay).deletionTimestamp == nil {
        try await changeOverlay(ref, uid: uid, bound: bound) { $0.deletionTimestamp = clock.now }
      }
      try await end(ref, uid: uid, bound: bound)
      if store.run(ref)?.isActive ?? false, let object = store.object(of: ref) { return .pending(object) }
    }
    guard let deleting = bound.abilities.deleting else { throw AdapterError(.unsupported, "cannot remove runs") }
    do throws(AdapterError) {
      try await deleting.delete(ref.key, scope: bound.info.scope)
    } catch {
      // The engine still winds it up: DeletionFinisher goes on when it has ended.
      if error.code == .conflict, let object = store.object(of: ref), object.draft.metadata["deletionTimestamp"] != nil {
        return .pending(object)
      }
      // "Not found" can also mean "you may not see it": DELETED needs proof (design §5).
      guard error.code == .notFound, try await isProvenGone(ref, bound: bound) else { throw error }
    }
    if let overlays = bound.abilities.overlays, !overlays.overlayComesWithRuns {
      try? await overlays.setOverlay(nil, of: ref.key, uid: uid, scope: bound.info.scope)
    }
    bound.driver.forget(ref.key)
    return .gone(uid: uid)
  }

  /// Ends an active run; that it has ended by itself just now is fine.
  private func end(_ ref: RunRef, uid: String, bound: Bound) async throws(AdapterError) {
    guard ref.key.kind == .run, store.run(ref)?.isActive ?? true else { return }
    do throws(AdapterError) {
      try await cancel(ref, uid: uid, reason: "deleted", bound: bound)
    } catch {
      guard error.code == .conflict else { throw error }
    }
  }

  /// The run answers 404 while what it lives in is readable with the same credentials.
  private func isProvenGone(_ ref: RunRef, bound: Bound) async throws(AdapterError) -> Bool {
    do throws(AdapterError) {
      _ = try await bound.adapter.get(ref.key, scope: bound.info.scope)
      return false
    } catch {
      guard error.code == .notFound else { throw error }
    }
    return try await bound.adapter.parentIsReadable(ref.key, scope: bound.info.scope)
  }

  /// Writes a change of the overlay to the engine and observes it.
  func changeOverlay(_ ref: RunRef, uid: String, bound: Bound, _ change: (inout Overlay) -> Void) async throws(AdapterError) {
    guard let keeping = bound.abilities.overlays, let run = store.run(ref) else {
      throw AdapterError(.unsupported, "cannot keep what changes about a run")
    }
    let began = clock.now
    var overlay = Overlay(try await keeping.overlay(of: ref.key, uid: uid, scope: bound.info.scope))
    change(&overlay)
    try await keeping.setOverlay(overlay.json, of: ref.key, uid: uid, scope: bound.info.scope)
    let observation = Observation(
      key: ref.key, identity: run.identity, attempt: run.attempt, order: run.order, overlay: .present(overlay.json))
    bound.driver.observe([Observed(bound.id, observation, began: began, ended: clock.now, source: .write)])
  }

  private func check(_ preconditions: DeleteOptions.Preconditions, _ object: StoredObject) throws(StatusError) {
    if let uid = preconditions.uid, uid != object.draft.uid {
      throw .conflict(
        resource: "workflows", group: group, name: object.draft.name,
        reason:
          "the UID in the precondition (\(uid)) does not match the UID in record (\(object.draft.uid)). The object might have been deleted and then recreated"
      )
    }
    if let version = preconditions.resourceVersion, version != String(object.version) {
      throw .conflict(
        resource: "workflows", group: group, name: object.draft.name,
        reason:
          "the ResourceVersion in the precondition (\(version)) does not match the ResourceVersion in record (\(object.version)). The object might have been modified"
      )
    }
  }
}
