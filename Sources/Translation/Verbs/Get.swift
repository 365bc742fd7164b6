internal import AdapterKit
internal import JSON
package import KubeWire

extension Gateway {
  /// GET of one object. Without a resourceVersion a Workflow is read from its engine; many readers at once cost one request (design §4.6).
  ///
  /// - Throws: 404 only when the engine, or a refresh that succeeded, says so; 503 while that cannot be told.
  package func get(_ resource: Resource, namespace: String, name: String, options: GetOptions, context: RequestContext)
    async throws(StatusError) -> StoredObject
  {
    var late: (bound: Bound, outcome: RefreshOutcome)?
    try await checkVersion(options.resourceVersion)
    if resource == .workflows, options.resourceVersion.isEmpty {
      if let ref = store.ref(namespace: namespace, name: name), let bound = bindings.first(where: { $0.id == ref.binding }) {
        late = (bound, await bound.driver.refresh(ref.key, startedAfter: context.now, within: Self.patience))
      } else {
        for bound in bindings where bound.info.namespace == namespace && !store.isHidden(namespace) {
          let outcome = await bound.driver.refreshList(startedAfter: context.now, within: Self.patience)
          guard !outcome.isFresh else { continue }
          do throws(StatusError) {
            guard try store.get(resource, namespace: namespace, name: name) == nil else { continue }
          } catch {
            throw explained(error, [(bound, outcome)])
          }
          throw .serviceUnavailable("cannot tell whether \(qualified(name)) exists: \(bound.text(outcome))", retryAfter: 1)
        }
      }
    }
    guard let object = try store.get(resource, namespace: namespace, name: name) else {
      throw .notFound(resource: resource.rawValue, group: group, name: name)
    }
    if let late { warn(context, late.bound, late.outcome) }
    return object
  }

  /// At least this version: one that was not given out yet may come soon, and what is older than it is no answer (kubernetes-wire L5, L7).
  private func checkVersion(_ text: String) async throws(StatusError) {
    guard let version = UInt64(text), version > store.currentVersion else { return }
    _ = await store.reaches(version, within: .seconds(3), clock: clock)
    guard version <= store.currentVersion else { throw .resourceVersionTooLarge(requested: version, current: store.currentVersion) }
  }

  /// Says so when what is answered is not what the engine just said.
  func warn(_ context: RequestContext, _ bound: Bound, _ outcome: RefreshOutcome) {
    guard outcome != .fresh else { return }
    context.warn(
      "\(bound.text(outcome)); showing the last known state")
  }
}
