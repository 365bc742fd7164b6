package import JSON

/// The clock of everything that waits; tests put their own in its place.
package protocol TimeSource: Sendable {
  var now: Timestamp { get }
  /// - Throws: `CancellationError` when the task was cancelled.
  func sleep(until: Timestamp) async throws
}
