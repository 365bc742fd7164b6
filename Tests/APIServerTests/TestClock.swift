import JSON
import Synchronization
import Translation

/// A clock that stands still until a test moves it.
final class TestClock: TimeSource {
  private struct State {
    var now: Timestamp
    var sleepers: [(until: Timestamp, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state: Mutex<State>

  init(_ now: Timestamp = Timestamp("2026-11-22T12:00:00Z")!) { state = Mutex(State(now: now)) }

  var now: Timestamp { state.withLock { $0.now } }

  func sleep(until: Timestamp) async throws {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          guard until > state.now, !Task.isCancelled else { return true }
          state.sleepers.append((until, continuation))
          return false
        }
        if isDue { continuation.resume() }
      }
    } onCancel: {
      for sleeper in state.withLock({ state in
        defer { state.sleepers = [] }
        return state.sleepers
      }) { sleeper.continuation.resume() }
    }
    try Task.checkCancellation()
  }

  func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now = state.now + duration
      let due = state.sleepers.filter { $0.until <= state.now }
      state.sleepers.removeAll { $0.until <= state.now }
      return due
    }
    for sleeper in due { sleeper.continuation.resume() }
  }
}
