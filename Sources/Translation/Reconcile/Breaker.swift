internal import AdapterKit
internal import JSON

/// Keeps calls away from an engine that fails: exponential back-off with jitter, the engine's Retry-After, then one probe (half-open).
struct Breaker: Sendable {
  private(set) var failures = 0
  /// nil: closed. Calls wait until then, and for the probe that follows.
  private(set) var openUntil: Timestamp?
  private(set) var isProbing = false
  private(set) var lastError: AdapterError?
  private var lastFailure = Timestamp(microseconds: 0)
  private var mustWaitUntil = Timestamp(microseconds: 0)

  static let longest = Duration.seconds(30)

  var isClosed: Bool { openUntil == nil }

  /// True for errors that are about the engine as a whole, not about one run or page.
  static func isEngineWide(_ error: AdapterError) -> Bool {
    [.unavailable, .timeout, .unauthenticated, .rateLimited].contains(error.code)
  }

  mutating func succeeded() { self = Breaker() }

  /// - Parameter random: 0 to 1.
  mutating func failed(_ error: AdapterError, now: Timestamp, random: Double) {
    lastError = error
    lastFailure = now
    mustWaitUntil = max(mustWaitUntil, now + (error.retryAfter ?? .zero))
    // Calls that were under way together fail together: that is one failure.
    if let openUntil, now < openUntil, !isProbing {
      self.openUntil = max(openUntil, mustWaitUntil)
      return
    }
    failures += 1
    isProbing = false
    let delay = min(Self.longest, .seconds(1 << min(failures - 1, 5))) * (0.75 + 0.5 * random)
    openUntil = max(now + delay, mustWaitUntil)
  }

  /// True once when the time for a probe has come.
  mutating func beginProbe(now: Timestamp) -> Bool {
    guard let openUntil, now >= openUntil, !isProbing else { return false }
    isProbing = true
    return true
  }

  /// The probe came through: calls may go on, but the next failure waits longer still.
  mutating func probeSucceeded() {
    openUntil = nil
    isProbing = false
  }

  /// Somebody waits for an answer: worth a try a little after the last failure, but never before the engine's own Retry-After.
  func mayTryLive(now: Timestamp) -> Bool { isClosed || now >= mustWaitUntil && now >= lastFailure + .seconds(2) }
}
