internal import AdapterKit
internal import JSON
package import KubeWire
internal import OrderedCollections

extension Gateway {
  /// PUT and PATCH of a Workflow or of its status.
  ///
  /// What can change after submission: labels, annotations, ownerReferences and finalizers (kept in the run's overlay), `spec.suspend`, `spec.cancel` to
  /// true, and of the status what the engine does not own. The object is changed as it was read; when it has changed meanwhile, it is read and changed
  /// again (kubernetes-wire C22).
  ///
  /// - Throws: 409 for a resourceVersion or uid that is not the object's, 422 naming each field that cannot be changed and why, 403 naming the
  ///   binding's `access`, 405 for a phase where the engine takes none.
  package func update(namespace: String, name: String, request: UpdateRequest, context: RequestContext) async throws(StatusError)
    -> UpdateResult
  {
    var object: StoredObject
    switch try await found(namespace: namespace, name: name, request: request, context: context) {
    case .present(let present): object = present
    case .made(let result): return result
    }
    for _ in 1..<Self.updateAttempts {
      let (bound, ref) = try located(uid: object.draft.uid, name: name)
      note(bound, ref.key, context)
      try await checkUse(bound, context)
      let plan = try await plan(request, for: object, ref, bound, context)
      defer { admission.finish(plan.attributes) }
      if let done = try await carryOut(plan, request: request, context: context) { return UpdateResult(object: done, isNew: false) }
      object = try still(object, ref)
    }
    // It changes faster than we can look: with its lock held nobody else writes.
    let (bound, ref) = try located(uid: object.draft.uid, name: name)
    let last = object
    let done = try await bound.driver.withRunLock(ref.key) { () async throws(StatusError) -> StoredObject in
      let now = try self.still(last, ref)
      let plan = try await self.plan(request, for: now, ref, bound, context)
      defer { self.admission.finish(plan.attributes) }
      if self.isDone(plan, request) { return request.options.dryRun ? plan.preview : now }
      guard let written = try await self.write(plan, context: context) else {
        throw .conflict(resource: "workflows", group: self.group, name: name)
      }
      return written
    }
    return UpdateResult(object: done, isNew: false)
  }

  /// As often as kube-apiserver tries a patch (kubernetes-wire C22).
  static let updateAttempts = 5

  private enum Found {
    case present(StoredObject)
    case made(UpdateResult)
  }

  /// The object to change. An apply that finds none makes it (kubernetes-wire S3); when another one is at it, that one's is waited for and changed.
  private func found(namespace: String, name: String, request: UpdateRequest, context: RequestContext) async throws(StatusError) -> Found {
    do throws(StatusError) {
      return .present(try await get(.workflows, namespace: namespace, name: name, options: GetOptions(), context: context))
    } catch {
      guard case .apply(let applied, _) = request.change, error.code == 404, request.subresource.isEmpty else { throw error }
      do throws(StatusError) {
        return .made(try await make(applied, namespace: namespace, name: name, request: request, context: context))
      } catch {
        guard error.status.reason == "AlreadyExists" else { throw error }
        return .present(try await madeByAnother(namespace: namespace, name: name, lost: error, context: context))
      }
    }
  }

  /// - Throws: `lost` when there is none: it is the engine that has the name, by a run that is not shown. No patience helps then, and each try would be a
  ///   submission.
  private func madeByAnother(namespace: String, name: String, lost: StatusError, context: RequestContext) async throws(StatusError)
    -> StoredObject
  {
    await waitForOthers(namespace: namespace, name: name, until: context.deadline)
    do throws(StatusError) {
      return try await get(.workflows, namespace: namespace, name: name, options: GetOptions(), context: context)
    } catch {
      throw error.code == 404 ? lost : error
    }
  }

  private func waitForOthers(namespace: String, name: String, until deadline: Timestamp) async {
    let end = min(deadline, clock.now + Self.patienceWithOthers)
    while reservations.isAtWork(namespace: namespace, name: name), clock.now < end {
      do { try await clock.sleep(until: clock.now + Self.pauseForOthers) } catch { return }
    }
  }

  /// How long an apply waits for another create of its name: longer than engines take for a submission.
  private static let patienceWithOthers = Duration.seconds(5)
  private static let pauseForOthers = Duration.milliseconds(100)

  private func make(_ applied: JSONValue, namespace: String, name: String, request: UpdateRequest, context: RequestContext)
    async throws(StatusError) -> UpdateResult
  {
    try await request.authorizeCreate()
    if let uid = applied["metadata"]?["uid"]?.string, !uid.isEmpty {
      throw .conflict(
        resource: "workflows", group: group, name: name,
        reason: "uid mismatch: the provided object specified uid \(uid), and no existing object was found")
    }
    if let version = applied["metadata"]?["resourceVersion"]?.string, !version.isEmpty {
      throw .conflict(resource: "workflows", group: group, name: name)
    }
    if let defect = projector.ownership.fields.defect(of: applied) { throw .badRequest(defect) }
    var object = applied
    object["metadata"]?["name"] = .string(name)
    object["status"] = nil
    let result = try await create(
      namespace: namespace, object: object, nameInURL: name, options: request.options, manager: request.manager, context: context)
    return UpdateResult(object: result.object, isNew: true)
  }

  private func isDone(_ plan: UpdatePlan, _ request: UpdateRequest) -> Bool { plan.changesNothing || request.options.dryRun }

  /// - Returns: nil when the object has changed since the plan was made.
  private func carryOut(_ plan: UpdatePlan, request: UpdateRequest, context: RequestContext) async throws(StatusError) -> StoredObject? {
    if plan.changesNothing { return plan.base }
    if request.options.dryRun { return plan.preview }
    return try await plan.bound.driver.withRunLock(plan.ref.key) { () async throws(StatusError) -> StoredObject? in
      guard let now = self.store.object(of: plan.ref), now.version == plan.base.version else { return nil }
      return try await self.write(plan, context: context)
    }
  }

  /// With the run's lock. What is told to the engine comes first: what is kept shall not promise what the engine refused.
  ///
  /// - Returns: nil when somebody else, another replica, wrote the overlay meanwhile.
  private func write(_ plan: UpdatePlan, context: RequestContext) async throws(StatusError) -> StoredObject? {
    let (bound, ref, uid) = (plan.bound, plan.ref, plan.base.draft.uid)
    let name = plan.base.draft.name
    try context.checkDeadline(clock.now)
    var wroteNothing = true
    do throws(AdapterError) {
      let began = clock.now
      if let suspend = plan.suspend, let suspending = bound.abilities.suspending {
        do throws(AdapterError) {
          let observation = try await suspending.setSuspended(suspend, ref.key, scope: bound.info.scope)
          if let observation { bound.driver.observe([Observed(bound.id, observation, began: began, ended: clock.now, source: .write)]) }
        } catch {
          // It is so already, by an earlier try or by somebody in the engine's pages.
          guard error.code == .conflict, store.run(ref)?.core?.suspended == suspend else { throw error }
        }
        wroteNothing = false
      }
      if let phase = plan.phase, let setting = bound.abilities.stateSetting {
        let observation = try await setting.setState(phase, ref.key, scope: bound.info.scope)
        wroteNothing = false
        if let observation { bound.driver.observe([Observed(bound.id, observation, began: began, ended: clock.now, source: .write)]) }
        bound.driver.wake()
      }
      if plan.cancel {
        try await end(ref, uid: uid, reason: "requested by \(context.user.name)", bound: bound)
        wroteNothing = false
      }
      if plan.ends, !(store.run(ref)?.isActive ?? true) || ref.key.kind == .schedule {
        // The last finalizer of an object that is being deleted goes, and with it the object (kubernetes-wire C17).
        if case .gone = try await remove(ref, uid: uid, bound: bound) { return plan.preview }
      }
      if plan.new != plan.old {
        guard try await writeOverlay(plan.new, over: plan.old, ref, uid: uid, bound: bound) else { return nil }
      }
    } catch {
      throw await refused(error, ref, name: name, bound: bound, wroteNothing: wroteNothing)
    }
    return store.object(of: ref) ?? plan.preview
  }
}
