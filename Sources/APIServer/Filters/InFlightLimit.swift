internal import KubeWire
internal import Synchronization

/// How many requests are answered at one time.
final class InFlightLimit: Sendable {
  private let maximum: Int
  private let current = Atomic(0)

  init(_ maximum: Int) { self.maximum = maximum }

  /// - Throws: 429 with Retry-After; nothing was done, so a client may repeat it.
  func enter() throws(StatusError) {
    guard current.add(1, ordering: .relaxed).newValue <= maximum else {
      leave()
      throw .tooManyRequests()
    }
  }

  func leave() { current.subtract(1, ordering: .relaxed) }
}
