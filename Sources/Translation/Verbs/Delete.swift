internal import AdapterKit
internal import JSON
package import KubeWire
internal import OrderedCollections

/// What a delete did.
package enum DeleteResult: Sendable {
  /// Gone at once (kubernetes-wire C24).
  case gone(uid: String)
  /// Still there, until the run has ended and no finalizer holds it: the object with its deletionTimestamp.
  case pending(StoredObject)
}

extension Gateway {
  /// DELETE: cancels an active run and removes it from the engine when it has ended and no finalizer holds it. The intention is kept in the run's
  /// overlay, so it survives us.
  ///
  /// - Throws: 403 naming the binding's `access`, 409 for preconditions, 405 where the engine can neither delete nor remember.
  package func delete(namespace: String, name: String, options: DeleteOptions, context: RequestContext) async throws(StatusError)
    -> DeleteResult
  {
    let current = try await get(.workflows, namespace: namespace, name: name, options: GetOptions(), context: context)
    return try await delete(current, options: options, context: context)
  }

  /// - Parameter current: as it was just read. When it has changed before it could be deleted, the newer one is checked and admitted again.
  func delete(_ current: StoredObject, options: DeleteOptions, context: RequestContext) async throws(StatusError) -> DeleteResult {
    let (bound, ref) = try located(uid: current.draft.uid, name: current.draft.name)
    note(bound, ref.key, context)
    try await checkUse(bound, context)
    var object = current
    for _ in 1..<Self.updateAttempts {
      let attributes = try await admitted(object, ref, bound, options, context)
      defer { admission.finish(attributes) }
      if options.dryRun { return preview(object, ref, options) }
      let admitted = object
      let done = try await bound.driver.withRunLock(ref.key) { () async throws(StatusError) -> DeleteResult? in
        let now = try self.still(admitted, ref)
        guard now.version == admitted.version else { return nil }
        return try await self.deleteAlone(now, ref, bound: bound, options: options, context: context)
      }
      if let done { return done }
      object = try still(current, ref)
    }
    // It changes faster than it can be admitted: with its lock held nobody else writes.
    return try await bound.driver.withRunLock(ref.key) { () async throws(StatusError) -> DeleteResult in
      let now = try self.still(current, ref)
      let attributes = try await self.admitted(now, ref, bound, options, context)
      defer { self.admission.finish(attributes) }
      return try await self.deleteAlone(now, ref, bound: bound, options: options, context: context)
    }
  }

  /// The rules and the plugins have nothing against the deletion of the object as it is.
  private func admitted(_ object: StoredObject, _ ref: RunRef, _ bound: Bound, _ options: DeleteOptions, _ context: RequestContext)
    async throws(StatusError) -> AdmissionAttributes
  {
    try checkDeletion(object, ref, bound, options)
    var attributes = attributes(
      .delete, namespace: object.draft.namespace, name: object.draft.name, context, options: Self.json(options), dryRun: options.dryRun)
    attributes.oldObject = object.value(apiVersion: apiVersion)
    _ = try await admission.mutate(attributes)
    try await admission.validate(attributes)
    return attributes
  }

  private func isActive(_ ref: RunRef) -> Bool { ref.key.kind == .run && store.run(ref)?.isActive ?? true }

  /// With the run's lock.
  private func deleteAlone(_ object: StoredObject, _ ref: RunRef, bound: Bound, options: DeleteOptions, context: RequestContext)
    async throws(StatusError) -> DeleteResult
  {
    try context.checkDeadline(clock.now)
    let uid = object.draft.uid
    var isMarked = false
    do throws(AdapterError) {
      guard isActive(ref) || !GarbageCollection.finalizers(object.draft, options).isEmpty else {
        return try await remove(ref, uid: uid, bound: bound)
      }
      let finalizers = try await markDeleted(ref, uid: uid, object, options, bound: bound)
      isMarked = true
      try await end(ref, uid: uid, bound: bound)
      guard store.run(ref) != nil else { return .gone(uid: uid) }
      // It may be hidden by now; what holds it holds all the same.
      if isActive(ref) || !finalizers.isEmpty { return .pending(store.object(of: ref) ?? object) }
      return try await remove(ref, uid: uid, bound: bound)
    } catch {
      throw await refused(error, ref, name: object.draft.name, bound: bound, wroteNothing: !isMarked)
    }
  }

  /// What the deletion would leave, for `dryRun`.
  private func preview(_ object: StoredObject, _ ref: RunRef, _ options: DeleteOptions) -> DeleteResult {
    let finalizers = GarbageCollection.finalizers(object.draft, options)
    guard isActive(ref) || !finalizers.isEmpty else { return .gone(uid: object.draft.uid) }
    guard object.draft.metadata["deletionTimestamp"] == nil else { return .pending(object) }
    var draft = object.draft
    draft.metadata["deletionTimestamp"] = .string(clock.now.rfc3339Seconds)
    draft.metadata["deletionGracePeriodSeconds"] = 0
    draft.metadata["generation"] = .int((draft.metadata["generation"]?.int ?? 1) + 1)
    draft.metadata["finalizers"] = finalizers.isEmpty ? nil : .array(finalizers.map { .string($0) })
    return .pending(StoredObject(draft, version: object.version, apiVersion: apiVersion))
  }

  private func checkDeletion(_ object: StoredObject, _ ref: RunRef, _ bound: Bound, _ options: DeleteOptions) throws(StatusError) {
    let name = object.draft.name
    let engine = bound.adapter.traits.engine
    try check(options.preconditions, object)
    try checkOwnership(bound, object, isOurs: isOurs(ref), write: "delete")
    if bound.abilities.overlays == nil, let policy = options.effectivePolicy, policy != .background {
      throw invalid(
        name,
        [
          FieldError(
            .notSupported, field: "propagationPolicy", badValue: .string(policy.rawValue),
            detail: "supported values: \"Background\"; Foreground and Orphan need finalizers, and \(engine) has no place for them")
        ])
    }
    if bound.info.deletionPolicy == .retain ? bound.abilities.overlays == nil : bound.abilities.deleting == nil {
      throw .methodNotSupported(
        "delete", resource: "workflows", group: group,
        advice: "\(engine) can neither remove nor hide runs" + (isActive(ref) ? "; cancel it instead" : ""))
    }
    if isActive(ref), bound.abilities.cancelling == nil || bound.abilities.overlays == nil {
      throw .methodNotSupported(
        "delete", resource: "workflows", group: group,
        advice: "\(engine) cannot end an active run and remember that it is to go; delete it when it has ended")
    }
  }

  /// Keeps the intention, so that it survives us. Nothing is written when it is there already.
  ///
  /// - Returns: the finalizers that hold the object from now on. Those that the engine has by now count, not those that we have read.
  private func markDeleted(_ ref: RunRef, uid: String, _ object: StoredObject, _ options: DeleteOptions, bound: Bound)
    async throws(AdapterError) -> [String]
  {
    let held = object.draft.metadata["finalizers"]?.array?.compactMap(\.string) ?? []
    var finalizers = GarbageCollection.finalizers(held, options)
    guard object.draft.metadata["deletionTimestamp"] == nil || held != finalizers else { return held }
    let envelope = store.ownsEnvelope(ref) ? store.run(ref)?.envelope.flatMap(Envelope.init) : nil
    try await changeOverlay(ref, uid: uid, bound: bound) { overlay in
      overlay.deletionTimestamp = overlay.deletionTimestamp ?? clock.now
      finalizers = GarbageCollection.finalizers(overlay.finalizers ?? envelope?.finalizers ?? [], options)
      overlay.finalizers = finalizers == envelope?.finalizers ?? [] ? nil : finalizers
    }
    return finalizers
  }

  /// Takes an object away that has ended and that nothing holds. Every call does all that is still to be done, so that one that failed half-way is made
  /// good by the next.
  func remove(_ ref: RunRef, uid: String, bound: Bound) async throws(AdapterError) -> DeleteResult {
    if bound.info.deletionPolicy == .retain {
      // The run stays in the engine and is not shown any more.
      try await changeOverlay(ref, uid: uid, bound: bound) { $0 = Overlay(["hidden": true]) }
      return .gone(uid: uid)
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

  /// What is still to be done of a deletion that was asked for: the active run is cancelled, and one that has ended goes when nothing holds it.
  /// With the run's lock.
  func finishDeletion(_ ref: RunRef, _ object: StoredObject, bound: Bound) async throws(AdapterError) {
    try await end(ref, uid: object.draft.uid, bound: bound)
    guard !isActive(ref), (object.draft.metadata["finalizers"]?.array ?? []).isEmpty else { return }
    _ = try await remove(ref, uid: object.draft.uid, bound: bound)
  }

  /// Ends an active run; that it has ended by itself just now is fine. With the run's lock.
  func end(_ ref: RunRef, uid: String, reason: String = "deleted", bound: Bound) async throws(AdapterError) {
    guard isActive(ref) else { return }
    do throws(AdapterError) {
      try await cancel(ref, uid: uid, reason: reason, bound: bound)
    } catch {
      guard error.code == .conflict else { throw error }
    }
  }

  /// Named by the kind, as BeforeDelete of a generic apiserver does it.
  private func check(_ preconditions: DeleteOptions.Preconditions, _ object: StoredObject) throws(StatusError) {
    if let uid = preconditions.uid, uid != object.draft.uid {
      throw .conflict(
        resource: "Workflow", group: group, name: object.draft.name,
        reason:
          "the UID in the precondition (\(uid)) does not match the UID in record (\(object.draft.uid)). The object might have been deleted and then recreated"
      )
    }
    if let version = preconditions.resourceVersion, version != String(object.version) {
      throw .conflict(
        resource: "Workflow", group: group, name: object.draft.name,
        reason:
          "the ResourceVersion in the precondition (\(version)) does not match the ResourceVersion in record (\(object.version)). The object might have been modified"
      )
    }
  }
}
