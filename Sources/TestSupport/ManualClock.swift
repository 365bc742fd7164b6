package import JSON
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: Sendable {
  private let time: Mutex<Timestamp>

  /// Starts at 2026-01-01T00:00:00Z unless told.
  package init(_ start: Timestamp = Timestamp(seconds: 1_767_225_600)) { time = Mutex(start) }

  package var now: Timestamp { time.withLock { $0 } }

  /// - Returns: the new time.
  @discardableResult
  package func advance(by duration: Duration) -> Timestamp {
    time.withLock { time in
      time = time + duration
      return time
    }
  }

  package func set(_ now: Timestamp) { time.withLock { $0 = now } }

  /// For what takes a closure.
  package var read: @Sendable () -> Timestamp { { self.now } }
}
