internal import AdapterKit
package import JSON
package import KubeWire
internal import OrderedCollections

extension Gateway {
  /// Changes what can be changed after submission: labels and annotations (kept in the run's overlay), `spec.suspend`, and `spec.cancel` to true.
  ///
  /// - Parameter change: makes the wanted object of the present one; called with the run's lock, so nothing comes between.
  /// - Returns: the object as it is then; unchanged, with its version, when nothing was to be done (kubernetes-wire C15).
  /// - Throws: 422 naming each field that cannot be changed and why, 403 naming the binding's `access`.
  package func update(
    namespace: String, name: String, options: WriteOptions, context: RequestContext,
    change: @escaping @Sendable (StoredObject, JSONValue) throws(StatusError) -> JSONValue
  ) async throws(StatusError) -> StoredObject {
    let read = try await get(.workflows, namespace: namespace, name: name, options: GetOptions(), context: context)
    let (bound, ref) = try located(uid: read.draft.uid, name: name)
    let result = await bound.driver.withRunLock(ref.key) { () async -> Result<StoredObject, StatusError> in
      do throws(StatusError) {
        return .success(try await self.updateAlone(read, ref, bound: bound, options: options, user: context.user.name, change: change))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func updateAlone(
    _ read: StoredObject, _ ref: RunRef, bound: Bound, options: WriteOptions, user: String,
    change: (StoredObject, JSONValue) throws(StatusError) -> JSONValue
  ) async throws(StatusError) -> StoredObject {
    let object = store.object(of: ref) ?? read
    let before: JSONValue = .object(["metadata": .object(object.draft.metadata), "spec": object.draft.content["spec"] ?? .emptyObject])
    let after = try change(object, before)
    let wish = try WorkflowChange(from: before, to: after, group: group) { errors in invalid(object.draft.name, errors) }
    guard !wish.isEmpty else { return object }
    try checkOwnership(bound, object, isOurs: isOurs(ref), write: "update")
    try checkAbilities(bound, object.draft.name, wish)
    if options.dryRun {
      var draft = object.draft
      draft.metadata["labels"] = after["metadata"]?["labels"]
      draft.metadata["annotations"] = after["metadata"]?["annotations"]
      draft.content["spec"] = after["spec"]
      return StoredObject(draft, version: object.version, apiVersion: apiVersion)
    }
    do throws(AdapterError) {
      if wish.changesMetadata || wish.changesSpec, bound.abilities.overlays != nil {
        try await changeOverlay(ref, uid: object.draft.uid, bound: bound) { wish.apply(to: &$0) }
      }
      if let suspend = wish.suspend, let suspending = bound.abilities.suspending {
        let began = clock.now
        if let observation = try await suspending.setSuspended(suspend, ref.key, scope: bound.info.scope) {
          bound.driver.observe([Observed(bound.id, observation, began: began, ended: clock.now, source: .write)])
        }
      }
      if wish.cancel { try await cancel(ref, uid: object.draft.uid, reason: "requested by \(user)", bound: bound) }
    } catch {
      throw bound.refusal(object.draft.name, group: group).status(error, isWrite: true)
    }
    return store.object(of: ref) ?? object
  }

  private func checkAbilities(_ bound: Bound, _ name: String, _ wish: WorkflowChange) throws(StatusError) {
    let engine = bound.adapter.traits.engine
    let limits = bound.adapter.traits.limitations
    var errors: [FieldError] = []
    if wish.changesMetadata, bound.abilities.overlays == nil {
      errors.append(
        .forbidden("metadata", limits["overlay"] ?? "\(engine) has no place for labels and annotations that change after submission"))
    }
    if wish.suspend != nil, bound.abilities.suspending == nil {
      errors.append(.forbidden("spec.suspend", limits["suspend"] ?? "\(engine) cannot hold a run"))
    }
    if wish.cancel, bound.abilities.cancelling == nil {
      errors.append(.forbidden("spec.cancel", limits["cancel"] ?? "\(engine) cannot stop a run"))
    }
    if !errors.isEmpty { throw invalid(name, errors) }
  }
}
