import KubeWire

/// How calls are repeated that a cluster cannot take at the moment (kubernetes-wire A3): 0.5 s, growing by half, with jitter, five calls at
/// most and no new one after 10 s.
package struct RetryPolicy: Sendable {
  package var attempts = 5
  package var first: Duration = .milliseconds(500)
  package var factor = 1.5
  package var jitter = 0.2
  /// No call begins after it. A cluster that is silent takes each call's whole time.
  package var budget: Duration = .seconds(10)
  package var sleep: @Sendable (Duration) async throws -> Void
  /// 0 ..< 1.
  package var random: @Sendable () -> Double

  package init(
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
  ) {
    self.sleep = sleep
    self.random = random
  }

  /// The wait before the call of that number (1 is the second), or nil when it is not to be made.
  func wait(before attempt: Int, after error: KubeError) -> Duration? {
    guard attempt < attempts else { return nil }
    var wait = first
    for _ in 1..<max(attempt, 1) { wait = wait * factor }
    wait = wait * (1 + jitter * random())
    switch error {
    case .unreachable: return wait
    case .malformed: return nil
    case .status(let status):
      if let seconds = status.retryAfter { return max(wait, .seconds(seconds)) }
      return status.code == 429 || ["InternalError", "Timeout", "ServerTimeout"].contains(status.status.reason) ? wait : nil
    }
  }
}

extension KubeAPI {
  /// As `send`, repeated as the policy says. Only for requests that may be made twice, such as reviews.
  package func send(_ request: KubeRequest, retrying policy: RetryPolicy) async throws(KubeError) -> KubeAnswer {
    var attempt = 0
    var waited = Duration.zero
    let began = ContinuousClock.now
    while true {
      do throws(KubeError) {
        return try await send(request)
      } catch {
        attempt += 1
        guard !Task.isCancelled, let wait = policy.wait(before: attempt, after: error),
          max(waited, began.duration(to: .now)) + wait <= policy.budget
        else { throw error }
        waited += wait
        do { try await policy.sleep(wait) } catch { throw .unreachable("the request was cancelled") }
      }
    }
  }
}
