internal import Synchronization

/// One watch: a cursor into the event window. It has no task and no queue; a watcher that does not come is not waited for.
package final class Watch: Sendable {
  private struct State: Sendable {
    var cursor: WatchCursor
    var waker: Int?
    var isEnded = false
  }

  private let store: SharedStore
  private let state: Mutex<State>
  package let resource: Resource

  init(_ store: SharedStore, _ cursor: WatchCursor) {
    self.store = store
    resource = cursor.resource
    state = Mutex(State(cursor: cursor))
  }

  deinit { cancel() }

  /// Calls `wake` after each commit that may matter: on the committing thread, so it must only schedule a call of ``next(limit:)``.
  ///
  /// Once, before the first ``next(limit:)``.
  package func start(wake: @escaping @Sendable () -> Void) {
    let cursor = state.withLock { state -> WatchCursor? in
      guard state.waker == nil, !state.isEnded else { return nil }
      state.waker = store.register(state.cursor, wake)
      return state.cursor
    }
    if let cursor { store.watchBegan(cursor) }
  }

  /// What is to be sent now. After `.expired` and `.ended` nothing follows.
  ///
  /// - Parameter limit: events at most; call again until `.wait`.
  package func next(limit: Int = 100) -> WatchStep {
    state.withLock { state in
      guard !state.isEnded else { return .ended }
      let step = store.next(&state.cursor, limit: limit)
      if case .expired = step { end(&state) }
      return step
    }
  }

  /// For bookmarks: everything up to it was returned by ``next(limit:)``. 0 while the initial state was not told completely: no bookmark then.
  package var currentVersion: UInt64 { state.withLock { store.currentVersion($0.cursor) } }

  /// Ends it; harmless when it has ended.
  package func cancel() { state.withLock { end(&$0) } }

  private func end(_ state: inout State) {
    state.isEnded = true
    if let waker = state.waker { store.unregister(waker, resource) }
    state.waker = nil
  }
}
