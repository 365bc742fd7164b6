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
    try check(options.preconditions, current)
    let (bound, ref) = try located(namespace: namespace, name: name)
    try checkOwnership(bound, current, isOurs: isOurs(ref), write: "delete")
    if let policy = options.propagationPolicy, policy != .background {
      throw invalid(
        name, [.notSupported("propagationPolicy", .string(policy.rawValue), supported: ["Background"])])
    }
    let isActive = store.run(ref)?.isActive ?? true
    guard bound.abilities.deleting != nil || bound.info.deletionPolicy == .retain else {
      throw .methodNotSupported(
        "delete", resource: "workflows", group: group,
        advice: "\(bound.adapter.traits.engine) cannot remove runs" + (isActive ? "; cancel it instead" : ""))
    }
    if options.dryRun { return isActive && ref.key.kind == .run ? .pending(current) : .gone(uid: current.draft.uid) }
    if current.draft.metadata["deletionTimestamp"] != nil { return .pending(current) }
    do throws(AdapterError) {
      return try await bound.driver.withRunLock(ref.key) { () async throws(AdapterError) -> DeleteResult in
        try await self.delete(ref, uid: current.draft.uid, isActive: isActive, bound: bound)
      }
    } catch {
      if error.code == .notFound { return .gone(uid: current.draft.uid) }
      throw bound.refusal(name, group: group).status(error, isWrite: true)
    }
  }

  private func delete(_ ref: RunRef, uid: String, isActive: Bool, bound: Bound) async throws(AdapterError) -> DeleteResult {
    if bound.info.deletionPolicy == .retain {
      if isActive, ref.key.kind == .run { try await cancel(ref, uid: uid, reason: nil, bound: bound) }
      try await changeOverlay(ref, uid: uid, bound: bound) { $0.hidden = true }
      return .gone(uid: uid)
    }
    if isActive, ref.key.kind == .run {
      if bound.abilities.overlays != nil {
        try await changeOverlay(ref, uid: uid, bound: bound) { $0.deletionTimestamp = clock.now }
      }
      do throws(AdapterError) {
        try await cancel(ref, uid: uid, reason: nil, bound: bound)
      } catch {
        // It may have ended by itself just now.
        guard error.code == .conflict else { throw error }
      }
      if store.run(ref)?.isActive ?? false, let object = store.object(of: ref) { return .pending(object) }
    }
    do throws(AdapterError) {
      try await remove(ref, uid: uid, bound: bound)
    } catch {
      // The engine still winds it up; DeletionFinisher goes on when it has ended.
      guard error.code == .conflict, isActive, let object = store.object(of: ref) else { throw error }
      return .pending(object)
    }
    return .gone(uid: uid)
  }

  /// Removes a run that has ended, and its overlay, and tells every watcher.
  func remove(_ ref: RunRef, uid: String, bound: Bound) async throws(AdapterError) {
    guard let deleting = bound.abilities.deleting else { throw AdapterError(.unsupported, "cannot remove runs") }
    do throws(AdapterError) {
      try await deleting.delete(ref.key, scope: bound.info.scope)
    } catch {
      guard error.code == .notFound else { throw error }
    }
    if let overlays = bound.abilities.overlays, !overlays.overlayComesWithRuns {
      try? await overlays.setOverlay(nil, of: ref.key, uid: uid, scope: bound.info.scope)
    }
    bound.driver.forget(ref.key)
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
    observe(Observed(bound.id, observation, began: began, ended: clock.now, source: .write))
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
