internal import Synchronization

/// Keeps what we ask of one engine within its budget: so many requests at once, so many a second. Waiting requests go in the order in which they came.
///
/// A stream counts against the number of requests at once only until its head is there: a followed log lasts for hours and costs the engine little.
public final class BudgetedTransport: HTTPTransport {
  private let transport: any HTTPTransport
  private let maximumConcurrent: Int
  private let interval: Duration
  private let state = Mutex(State())

  /// Starts that may follow each other at once after a pause.
  private static let burst = 20

  private struct State {
    var inProgress = 0
    var nextStart: ContinuousClock.Instant = .now
    var waiting: [(id: UInt64, go: CheckedContinuation<Bool, Never>)] = []
    var lastID: UInt64 = 0
    var abandoned: Set<UInt64> = []
  }

  /// - Parameter requestsPerSecond: starts are spaced by its inverse.
  public init(_ transport: any HTTPTransport, maximumConcurrent: Int, requestsPerSecond: Double) {
    self.transport = transport
    self.maximumConcurrent = max(1, maximumConcurrent)
    interval = .seconds(1 / max(0.001, requestsPerSecond))
  }

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

  private func enter() async throws(TransportError) {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    let admitted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now: Bool? = state.withLock { state in
          if state.abandoned.remove(id) != nil { return false }
          if state.inProgress < maximumConcurrent {
            state.inProgress += 1
            return true
          }
          state.waiting.append((id, continuation))
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let continuation: CheckedContinuation<Bool, Never>? = state.withLock { state in
        guard let at = state.waiting.firstIndex(where: { $0.id == id }) else {
          state.abandoned.insert(id)
          return nil
        }
        return state.waiting.remove(at: at).go
      }
      continuation?.resume(returning: false)
    }
    _ = state.withLock { $0.abandoned.remove(id) }
    guard admitted else { throw TransportError(.cancelled, "the request was given up before it was sent", mayHaveBeenSent: false) }
    let start = state.withLock { state in
      // A pause saves up starts, so that the few requests of one operation do not wait for each other.
      let start = max(state.nextStart, .now - interval * Self.burst)
      state.nextStart = start + interval
      return start
    }
    guard start > .now else { return }
    do { try await Task.sleep(until: start, clock: .continuous) } catch {
      leave()
      throw TransportError(.cancelled, "the request was given up before it was sent", mayHaveBeenSent: false)
    }
  }

  private func leave() {
    let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.inProgress -= 1
        return nil
      }
      return state.waiting.removeFirst().go
    }
    next?.resume(returning: true)
  }
}
