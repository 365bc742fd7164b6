internal import Glibc
package import JSON

/// The machine's clock.
package struct SystemClock: TimeSource {
  package init() {}

  package var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }

  package func sleep(until moment: Timestamp) async throws {
    let left = moment - now
    if left > .zero { try await Task.sleep(for: left) } else { try Task.checkCancellation() }
  }
}
