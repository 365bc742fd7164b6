package import JSON

#if canImport(Glibc)
  internal import Glibc
#endif

/// Time as the interpreter needs it; tests put their own in its place.
package struct AdapterClock: Sendable {
  package var now: @Sendable () -> Timestamp
  /// Used only while a log is followed.
  package var sleep: @Sendable (Duration) async throws -> Void

  package init(now: @escaping @Sendable () -> Timestamp, sleep: @escaping @Sendable (Duration) async throws -> Void) {
    self.now = now
    self.sleep = sleep
  }

  package static let system = AdapterClock(
    now: {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    },
    sleep: { try await Task.sleep(for: $0) })
}
