internal import Synchronization

/// Keeps what we ask of one engine within its budget: so many requests at once, so many a second. Waiting requests go in the order in which they came.
///
/// A stream counts against the number of requests at once only until its head is there: a followed log lasts for hours and costs the engine little.
public final class BudgetedTransport: HTTPTransport {
  private let transport: any HTTPTransport
  private let maximumConcurrent: Int
  private let interval: Duration
  /// Since an origin that never changes.
  private let now: @Sendable () -> Duration
  private let sleep: @Sendable (_ until: Duration) async throws -> Void
  private let state: Mutex<State>

  /// Starts that may follow each other at once after a pause.
  private static let burst = 20

  private struct State {
    var inProgress = 0
    /// The first moment that no request has been given yet.
    var nextStart: Duration
    var waiting: [(id: UInt64, go: CheckedContinuation<Duration?, Never>)] = []
    var lastID: UInt64 = 0
    var abandoned: Set<UInt64> = []

    /// The moment at which the next request starts.
    mutating func takeStart(now: Duration, interval: Duration) -> Duration {
      // A pause saves up starts, so that the few requests of one operation do not wait for each other.
      let start = max(nextStart, now - interval * (BudgetedTransport.burst - 1))
      nextStart = start + interval
      return start
    }
  }

  /// - Parameters:
  ///   - maximumConcurrent: requests at once; at least 1.
  ///   - requestsPerSecond: starts are spaced by its inverse, but for 20 that may follow each other at once after a pause; at least 0.001.
  ///   - clock: what spaces them; the system's, unless a test has its own.
  public init<C: Clock>(
    _ transport: any HTTPTransport, maximumConcurrent: Int, requestsPerSecond: Double, clock: C = ContinuousClock()
  ) where C.Duration == Duration {
    self.transport = transport
    self.maximumConcurrent = max(1, maximumConcurrent)
    interval = .seconds(1 / max(0.001, requestsPerSecond))
    let origin = clock.now
    now = { origin.duration(to: clock.now) }
    sleep = { try await clock.sleep(until: origin.advanced(by: $0), tolerance: nil) }
    state = Mutex(State(nextStart: .zero))
  }

  /// Requests that wait for others to end. For tests.
  package var waiting: Int { state.withLock { $0.waiting.count } }

  public func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
    try await enter()
    defer { leave() }
    return try await transport.send(request)
  }

  public func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
    try await enter()
    defer { leave() }
    return try await transport.stream(request)
  }

  /// Returns when the request may go; each return is followed by one ``leave()``.
  private func enter() async throws(TransportError) {
    let start = await place()
    guard let start else { throw Self.givenUp }
    guard start > now() else { return }
    do { try await sleep(start) } catch {
      // The moment was given to nobody: without this, requests that are given up while they wait would put off all that follow, for ever.
      state.withLock { $0.nextStart -= interval }
      leave()
      throw Self.givenUp
    }
  }

  private static var givenUp: TransportError {
    TransportError(.cancelled, "the request was given up before it was sent", mayHaveBeenSent: false)
  }

  /// Waits for one of the places. - Returns: when to start; nil when the task was cancelled before.
  private func place() async -> Duration? {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    let start = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Duration?, Never>) in
        let start: Duration?? = state.withLock { state in
          if state.abandoned.remove(id) != nil { return .some(nil) }
          guard state.inProgress < maximumConcurrent else {
            state.waiting.append((id, continuation))
            return nil
          }
          state.inProgress += 1
          return state.takeStart(now: now(), interval: interval)
        }
        if let start { continuation.resume(returning: start) }
      }
    } onCancel: {
      let continuation: CheckedContinuation<Duration?, Never>? = state.withLock { state in
        guard let at = state.waiting.firstIndex(where: { $0.id == id }) else {
          state.abandoned.insert(id)
          return nil
        }
        return state.waiting.remove(at: at).go
      }
      continuation?.resume(returning: nil)
    }
    _ = state.withLock { $0.abandoned.remove(id) }
    return start
  }

  /// Gives the place, and the moment to start, to who has waited longest.
  private func leave() {
    let next: (go: CheckedContinuation<Duration?, Never>, start: Duration)? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.inProgress -= 1
        return nil
      }
      return (state.waiting.removeFirst().go, state.takeStart(now: now(), interval: interval))
    }
    next?.go.resume(returning: next?.start)
  }
}
