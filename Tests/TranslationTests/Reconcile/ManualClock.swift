import JSON
import Synchronization

@testable import Translation

/// A clock that moves when the test says so.
final class ManualClock: TimeSource {
  private struct State {
    var now = at(0)
    var sleepers: [Int: (until: Timestamp, continuation: CheckedContinuation<Void, any Error>)] = [:]
    var last = 0
  }

  private let state = Mutex(State())

  var now: Timestamp { state.withLock { $0.now } }

  func sleep(until: Timestamp) async throws {
    let id = state.withLock { state in
      state.last += 1
      return state.last
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result = state.withLock { state -> Result<Void, any Error>? in
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.now >= until { return .success(()) }
          state.sleepers[id] = (until, continuation)
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
    }
  }

  func advance(_ seconds: Double) {
    let due = state.withLock { state in
      state.now = state.now + .microseconds(Int64(seconds * 1_000_000))
      let due = state.sleepers.filter { $0.value.until <= state.now }.sorted { $0.value.until < $1.value.until }
      for (id, _) in due { state.sleepers[id] = nil }
      return due.map(\.value.continuation)
    }
    for continuation in due { continuation.resume() }
  }
}
