package import JSON

/// The one source of resourceVersions: `microseconds × 1000 + epoch`, so that versions rise with time over restarts and two lives of the counter
/// never give the same one (design §4.1).
package struct VersionCounter: Sendable {
  /// Tells this life of the counter from others: 0 to 999.
  package let epoch: UInt64
  private var microseconds: UInt64

  package init(epoch: UInt64, now: Timestamp) {
    self.epoch = epoch % 1000
    microseconds = UInt64(max(now.microseconds, 1))
  }

  /// The last version that was given out; at first the version of the empty store.
  package var current: UInt64 { microseconds * 1000 + epoch }

  mutating func next(now: Timestamp) -> UInt64 {
    microseconds = max(microseconds + 1, UInt64(max(now.microseconds, 1)))
    return current
  }

  /// True for versions of this life, past and future.
  package func isOfThisEpoch(_ version: UInt64) -> Bool { version % 1000 == epoch }

  /// The moment that a version was given out, or shortly after it in a burst.
  static func moment(of version: UInt64) -> Timestamp { Timestamp(microseconds: Int64(version / 1000)) }
}
