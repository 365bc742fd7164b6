internal import KubeWire

/// Where one watch stands. A value: reads the store, changes only itself.
struct WatchCursor: Sendable {
  let resource: Resource
  let selection: ObjectSelection
  /// What is still to be told of the state at the start; empty later.
  private var initial: ArraySlice<StoredObject> = []
  private var owesInitialEnd: Bool
  /// Of the next event.
  private var sequence: Int
  /// Everything up to it was told, once ``initial`` is empty.
  private var reached: UInt64

  /// - Throws: `.invalidVersion`, `.versionGone`, `.versionTooLarge`.
  init(_ resource: Resource, namespace: String?, options: ListOptions, in store: borrowing ObjectStore) throws(ReadFailure) {
    self.resource = resource
    selection = ObjectSelection(namespace: namespace, options: options)
    let requested = try ObjectStore.version(options.resourceVersion) ?? 0
    let kind = store[resource]
    if requested > 0 {
      guard store.versions.isOfThisEpoch(requested) else {
        throw .versionGone(requested: requested, floor: kind.floor(namespace: namespace))
      }
      guard requested <= store.currentVersion else { throw .versionTooLarge(requested: requested, current: store.currentVersion) }
    }
    owesInitialEnd = options.sendInitialEvents ?? false
    let wantsInitial = options.sendInitialEvents ?? (requested == 0)
    if wantsInitial || requested == 0 {
      if wantsInitial { initial = kind.objects[kind.range(selection)] }
      sequence = kind.window.endSequence
      reached = store.currentVersion
    } else {
      guard requested >= kind.floor(namespace: namespace) else {
        throw .versionGone(requested: requested, floor: kind.floor(namespace: namespace))
      }
      sequence = kind.window.sequence(after: requested)
      reached = requested
    }
  }

  /// Everything up to it was told; 0 while the initial state is not told completely.
  func currentVersion(in store: borrowing ObjectStore) -> UInt64 {
    guard initial.isEmpty, !owesInitialEnd else { return 0 }
    return sequence == store[resource].window.endSequence ? store.currentVersion : reached
  }

  /// - Parameter limit: events at most.
  mutating func next(limit: Int, in store: borrowing ObjectStore) -> WatchStep {
    let kind = store[resource]
    if sequence < kind.window.firstSequence || reached < kind.silentFloor(namespace: selection.namespace) {
      return .expired(version: kind.floor(namespace: selection.namespace), requested: reached)
    }
    var events: [WatchEvent] = []
    while let object = initial.first, events.count < limit {
      initial.removeFirst()
      if selection.selects(object.draft) { events.append(WatchEvent(.added, object)) }
    }
    if !events.isEmpty { return .events(events) }
    initial = []
    if owesInitialEnd {
      owesInitialEnd = false
      return .initialEventsEnd(version: reached)
    }
    let end = kind.window.endSequence
    while sequence < end, events.count < limit {
      let event = kind.window[sequence]
      sequence += 1
      reached = event.version
      if let told = translate(event) { events.append(told) }
    }
    if sequence == end { reached = store.currentVersion }
    return events.isEmpty ? .wait : .events(events)
  }

  /// The rules of kubernetes-wire W7 for objects that enter or leave the selector.
  private func translate(_ event: ObjectEvent) -> WatchEvent? {
    guard selection.covers(namespace: event.object.draft.namespace) else { return nil }
    let matches = selection.selects(event.object.draft)
    switch event.kind {
    case .added: return matches ? WatchEvent(.added, event.object) : nil
    case .deleted: return matches ? WatchEvent(.deleted, event.object) : nil
    case .modified:
      guard selection.hasSelectors, let previous = event.previous else { return WatchEvent(.modified, event.object) }
      switch (selection.selects(previous.draft), matches) {
      case (true, true): return WatchEvent(.modified, event.object)
      case (false, true): return WatchEvent(.added, event.object)
      case (true, false): return WatchEvent(.deleted, event.leaving)
      case (false, false): return nil
      }
    }
  }
}
