package import AdapterKit
package import JSON
package import KubeWire
internal import Synchronization

/// The one store of the process: the state machine behind a lock. Nothing is called while the lock is held.
package final class SharedStore: Sendable {
  private let state: Mutex<RunStore>
  private let wakers = Wakers()
  private let watchListeners = Mutex<[BindingID: (namespaces: Set<String>, begun: @Sendable () -> Void)]>([:])
  private let listeners = Mutex<[BindingID: @Sendable (ObserveOutcome) -> Void]>([:])

  package init(_ state: RunStore) { self.state = Mutex(state) }

  // MARK: Reads

  /// - Throws: 503 while a binding in the scope was never read completely; 410, 504 and 400 by kubernetes-wire §5.
  package func list(_ resource: Resource, namespace: String?, options: ListOptions) throws(StatusError) -> ListResult {
    let selection = ObjectSelection(namespace: namespace, options: options)
    guard selection.hasSelectors, selection.exactKey == nil else {
      return try reading { state throws(ReadFailure) in
        try Self.requireReady(state, resource, namespace)
        return try state.objects.list(resource, namespace: namespace, options: options)
      }
    }
    // Every object is looked at: of a snapshot, without the lock.
    let objects = try reading { state throws(ReadFailure) in
      try Self.requireReady(state, resource, namespace)
      return state.objects
    }
    do throws(ReadFailure) { return try objects.list(resource, namespace: namespace, options: options) } catch { throw error.statusError }
  }

  /// nil when there is none. - Throws: 503 where a binding that could have it was never read completely.
  package func get(_ resource: Resource, namespace: String, name: String) throws(StatusError) -> StoredObject? {
    try reading { state throws(ReadFailure) in
      if let object = state.objects.object(resource, namespace: namespace, name: name) { return object }
      try Self.requireReady(state, resource, namespace)
      return nil
    }
  }

  /// Call ``Watch/start(wake:)`` before the first ``Watch/next(limit:)``. - Throws: 503, 410, 504 and 400 as ``list(_:namespace:options:)``.
  package func watch(_ resource: Resource, namespace: String?, options: ListOptions) throws(StatusError) -> Watch {
    let cursor = try reading { state throws(ReadFailure) in
      try Self.requireReady(state, resource, namespace)
      return try WatchCursor(resource, namespace: namespace, options: options, in: state.objects)
    }
    return Watch(self, cursor)
  }

  /// Any reading of the state; must be short.
  package func read<Value: Sendable>(_ body: (borrowing RunStore) -> Value) -> Value { state.withLock { body($0) } }

  package var currentVersion: UInt64 { state.withLock { $0.objects.currentVersion } }

  /// The bindings in a scope that were never read completely.
  package func notReady(_ resource: Resource, namespace: String?) -> [BindingID] {
    state.withLock { $0.notReady(resource, namespace: namespace) }
  }

  package func ref(namespace: String, name: String) -> RunRef? { state.withLock { $0.ref(namespace: namespace, name: name) } }
  package func ref(uid: String) -> RunRef? { state.withLock { $0.ref(uid: uid) } }
  package func run(_ ref: RunRef) -> KnownRun? { state.withLock { $0.run(ref) } }
  package func object(of ref: RunRef) -> StoredObject? { state.withLock { $0.object(of: ref) } }

  package func object(uid: String) -> StoredObject? { state.withLock { $0.object(uid: uid) } }

  /// The uids of the runs of a binding that are being deleted.
  package func terminating(_ binding: BindingID) -> Set<String> { state.withLock { $0.terminating[binding] ?? [] } }

  /// Whether a run is the one that its envelope was made for: it was submitted here.
  package func ownsEnvelope(_ ref: RunRef) -> Bool { state.withLock { $0.ownsEnvelope(ref) } }

  private static func requireReady(_ state: borrowing RunStore, _ resource: Resource, _ namespace: String?) throws(ReadFailure) {
    let missing = state.notReady(resource, namespace: namespace)
    guard missing.isEmpty else { throw .notSwept(missing) }
  }

  private func reading<Value: Sendable>(_ body: (borrowing RunStore) throws(ReadFailure) -> Value) throws(StatusError) -> Value {
    let result = state.withLock { state -> Result<Value, ReadFailure> in
      do throws(ReadFailure) { return .success(try body(state)) } catch { return .failure(error) }
    }
    switch result {
    case .success(let value): return value
    case .failure(let failure): throw failure.statusError
    }
  }

  // MARK: Changes

  /// Takes in what was learnt, tells watchers and the reconcilers of the bindings.
  @discardableResult
  package func observe(_ batch: [Observed], now: Timestamp) -> ObserveOutcome { change { $0.observe(batch, now: now) } }

  /// Runs that are proven to be gone from their engine: DELETED.
  @discardableResult
  package func forget(_ refs: [RunRef], now: Timestamp) -> ObserveOutcome { change { $0.forget(refs, now: now) } }

  @discardableResult
  package func expire(now: Timestamp) -> ObserveOutcome { change { $0.expire(now: now) } }

  @discardableResult
  package func observeOverlays(
    _ binding: BindingID, _ byUID: [String: JSONValue], began: Timestamp, ended: Timestamp, now: Timestamp
  ) -> ObserveOutcome {
    change { $0.observeOverlays(binding, byUID, began: began, ended: ended, now: now) }
  }

  @discardableResult
  package func observeTemplates(_ binding: BindingID, _ templates: [EngineTemplate], now: Timestamp) -> ObserveOutcome {
    change { $0.observeTemplates(binding, templates, now: now) }
  }

  /// Objects that are not made of runs or templates: WorkflowBackends.
  package func commit(_ changes: [ObjectChange], now: Timestamp) { change { $0.commit(changes, now: now) } }

  package func isHidden(_ namespace: String) -> Bool { state.withLock { $0.hiddenNamespaces.contains(namespace) } }

  /// Runs of a binding that were submitted here and are active, shown or not.
  package func activeOwnRuns(_ binding: BindingID) -> [(ref: RunRef, uid: String)] { state.withLock { $0.activeOwnRuns(binding) } }

  /// Hides or shows a namespace.
  package func setNamespace(_ name: String, isHidden: Bool, now: Timestamp) {
    change { $0.setNamespace(name, isHidden: isHidden, now: now) }
  }

  /// When a namespace was made that is there.
  package func setNamespace(_ name: String, created: Timestamp, now: Timestamp) {
    change { $0.setNamespace(name, created: created, now: now) }
  }

  package func markSwept(_ binding: BindingID, now: Timestamp) { change { $0.markSwept(binding, now: now) } }

  /// Registers who is told of everything that is learnt of a binding's runs, by whomever. Called without the lock, on the thread that learnt it.
  package func listen(_ binding: BindingID, _ listener: (@Sendable (ObserveOutcome) -> Void)?) {
    listeners.withLock { $0[binding] = listener }
  }

  @discardableResult
  private func change(_ body: (inout RunStore) -> ObserveOutcome) -> ObserveOutcome {
    let outcome = state.withLock { body(&$0) }
    if !outcome.touched.isEmpty { wakers.wake(outcome.touched) }
    tell(outcome)
    return outcome
  }

  private func tell(_ outcome: ObserveOutcome) {
    guard !outcome.summaries.isEmpty || !outcome.gone.isEmpty else { return }
    let listeners = listeners.withLock { $0 }
    for (binding, listener) in listeners {
      var part = ObserveOutcome()
      part.summaries = outcome.summaries.filter { $0.ref.binding == binding }
      part.gone = outcome.gone.filter { $0.binding == binding }
      if !part.summaries.isEmpty || !part.gone.isEmpty { listener(part) }
    }
  }

  // MARK: Watches

  func register(_ cursor: WatchCursor, _ wake: @escaping @Sendable () -> Void) -> Int {
    wakers.add(cursor.resource, cursor.selection.namespace, wake)
  }

  /// Tells those who listen for watches; without any lock, for they may call whatever they like.
  func watchBegan(_ cursor: WatchCursor) {
    guard cursor.resource == .workflows else { return }
    for (namespaces, begun) in watchListeners.withLock({ $0 }).values
    where cursor.selection.namespace.map(namespaces.contains) ?? true { begun() }
  }

  /// Registers who is told that somebody began to watch the runs of a binding's namespaces.
  package func listenForWatches(_ binding: BindingID, namespaces: Set<String>, _ begun: (@Sendable () -> Void)?) {
    watchListeners.withLock { $0[binding] = begun.map { (namespaces, $0) } }
  }

  /// Calls `wake` after each commit that changed objects of a kind, for parts of the gateway itself; for the life of the store.
  func wakeOnChange(of resource: Resource, _ wake: @escaping @Sendable () -> Void) {
    _ = wakers.add(resource, nil, isReader: false, wake)
  }

  func unregister(_ id: Int, _ resource: Resource) { wakers.remove(id, resource) }

  func next(_ cursor: inout WatchCursor, limit: Int) -> WatchStep {
    var advanced = cursor
    let step = state.withLock { advanced.next(limit: limit, in: $0.objects) }
    cursor = advanced
    return step
  }

  func currentVersion(_ cursor: WatchCursor) -> UInt64 { state.withLock { cursor.currentVersion(in: $0.objects) } }

  /// Whether somebody watches runs of a namespace.
  package func isWatched(_ resource: Resource, namespaces: Set<String>) -> Bool { wakers.isWatched(resource, namespaces: namespaces) }

  /// Waits until a version was given out; for lists and watches that ask for a newer one than we know (kubernetes-wire §5 ⁴).
  ///
  /// - Returns: false when the time was over first, or when the version can never come because it is of another life of the counter.
  package func reaches(_ version: UInt64, within: Duration, clock: any TimeSource) async -> Bool {
    let end = clock.now + within
    while true {
      let (current, possible) = state.withLock { ($0.objects.currentVersion, $0.objects.versions.isOfThisEpoch(version)) }
      if current >= version { return true }
      guard possible, clock.now < end else { return false }
      do { try await clock.sleep(until: min(end, clock.now + .milliseconds(50))) } catch { return false }
    }
  }
}
