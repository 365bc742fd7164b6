package import JSON

/// The clock of everything that waits; tests put their own in its place.
package protocol TimeSource: Sendable {
  var now: Timestamp { get }
  /// - Throws: `CancellationError` when the task was cancelled.
  func sleep(until: Timestamp) async throws
}

extension TimeSource {
  /// - Throws: `CancellationError` when the task was cancelled.
  package func sleep(for duration: Duration) async throws { try await sleep(until: now + duration) }
}
