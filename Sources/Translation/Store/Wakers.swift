internal import Synchronization

/// Who is to be called after a commit, by kind. Calling happens on a snapshot, without the lock.
final class Wakers: Sendable {
  private struct Waker: Sendable {
    /// nil for all.
    let namespace: String?
    /// False for parts of the gateway itself: they are no reason to poll often.
    let isReader: Bool
    let wake: @Sendable () -> Void
  }

  private struct State: Sendable {
    var byKind: [Resource: [Int: Waker]] = [:]
    var lastID = 0
  }

  private let state = Mutex(State())

  func add(_ resource: Resource, _ namespace: String?, isReader: Bool = true, _ wake: @escaping @Sendable () -> Void) -> Int {
    state.withLock { state in
      state.lastID += 1
      state.byKind[resource, default: [:]][state.lastID] = Waker(namespace: namespace, isReader: isReader, wake: wake)
      return state.lastID
    }
  }

  func remove(_ id: Int, _ resource: Resource) { _ = state.withLock { $0.byKind[resource]?.removeValue(forKey: id) } }

  func wake(_ touched: ObjectStore.Touched) {
    let byKind = state.withLock { $0.byKind }
    for (resource, namespaces) in touched {
      for waker in (byKind[resource] ?? [:]).values where waker.namespace.map(namespaces.contains) ?? true { waker.wake() }
    }
  }

  func isWatched(_ resource: Resource, namespaces: Set<String>) -> Bool {
    let wakers = state.withLock { $0.byKind[resource] ?? [:] }
    return wakers.values.contains { $0.isReader && ($0.namespace.map(namespaces.contains) ?? true) }
  }
}
