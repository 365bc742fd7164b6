internal import AdapterKit
internal import JSON
package import KubeWire

extension Gateway {
  /// POST …/cancel: stops an active run.
  ///
  /// - Throws: 409 when it has ended, 405 where the engine cannot stop runs, 403 naming the binding's `access`.
  package func cancel(namespace: String, name: String, options: WriteOptions, context: RequestContext) async throws(StatusError)
    -> StoredObject
  {
    let current = try await get(.workflows, namespace: namespace, name: name, options: GetOptions(), context: context)
    let (bound, ref) = try located(uid: current.draft.uid, name: name)
    note(bound, ref.key, context)
    try await checkUse(bound, context)
    try checkOwnership(bound, current, isOurs: isOurs(ref), write: "cancel")
    guard ref.key.kind == .run else {
      throw .methodNotSupported(
        "cancel", resource: "workflows", group: group, advice: "a schedule runs nothing itself; suspend or delete it")
    }
    let attributes = try await admitted("cancel", current, options, context)
    defer { admission.finish(attributes) }
    if options.dryRun { return current }
    try context.checkDeadline(clock.now)
    do throws(AdapterError) {
      try await bound.driver.withRunLock(ref.key) { () async throws(AdapterError) in
        try await self.cancel(ref, uid: current.draft.uid, reason: "requested by \(context.user.name)", bound: bound)
      }
    } catch {
      throw await refused(error, ref, name: name, bound: bound)
    }
    return store.object(of: ref) ?? current
  }

  /// A POST to a subresource without a body of its own: plugins see the object.
  func admitted(_ subresource: String, _ object: StoredObject, _ options: WriteOptions, _ context: RequestContext)
    async throws(StatusError) -> AdmissionAttributes
  {
    var attributes = attributes(.create, subresource, object, context, options, "CreateOptions")
    attributes.object = object.value(apiVersion: apiVersion)
    _ = try await admission.mutate(attributes)
    try await admission.validate(attributes)
    return attributes
  }

  /// Asks the engine to stop a run and observes what it answers. The caller holds the run's lock.
  ///
  /// - Parameter reason: for the engine's own record; `TimedOut` is told in the status.
  func cancel(_ ref: RunRef, uid: String, reason: String, bound: Bound) async throws(AdapterError) {
    guard let cancelling = bound.abilities.cancelling else {
      throw AdapterError(.unsupported, bound.adapter.traits.limitations["cancel"] ?? "cannot stop runs")
    }
    let began = clock.now
    if let observation = try await cancelling.cancel(ref.key, uid: uid, reason: reason, scope: bound.info.scope) {
      bound.driver.observe([Observed(bound.id, observation, began: began, ended: clock.now, source: .write)])
    }
    bound.driver.wake()
  }
}
