import AdapterKit
import Synchronization

/// A transport to the cluster, and whether something still comes from there. HTTP/2 puts all watches on one connection; where that is dead without
/// being closed nobody would say so, and nothing new would ever be seen. client-go sends HTTP/2's PING for it; here it is a request.
final class ClusterLink: Sendable {
  /// How long things may take.
  struct Limits: Sendable {
    /// After so long without a byte from the cluster, it is asked for a sign of life.
    var idle: Duration = .seconds(30)
    /// By then it must have answered.
    var answer: Duration = .seconds(15)
    /// How much longer than its `timeoutSeconds` a watch may last before it is ended here.
    var slack: Duration = .seconds(30)
  }

  private struct State {
    var heard: ContinuousClock.Instant
    /// One question at a time for all watches.
    var question: Task<Bool, Never>?
  }

  let transport: any HTTPTransport
  private let limits: Limits
  private let now: @Sendable () -> ContinuousClock.Instant
  private let sleep: @Sendable (Duration) async throws -> Void
  private let state: Mutex<State>

  init(
    _ transport: any HTTPTransport, limits: Limits, now: @escaping @Sendable () -> ContinuousClock.Instant,
    sleep: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.transport = transport
    self.limits = limits
    self.now = now
    self.sleep = sleep
    state = Mutex(State(heard: now()))
  }

  /// Something came from the cluster.
  func noteLife() {
    let now = now()
    state.withLock { $0.heard = now }
  }

  /// Waits until a watch has to be ended.
  ///
  /// - Parameters:
  ///   - lifetime: what was asked of the server; nil for a watch without an end.
  ///   - question: any request that the cluster answers, whatever it says.
  /// - Returns: why; nil when the task was cancelled.
  func failure(ofWatchLasting lifetime: Duration?, question: @escaping @Sendable (Duration) -> TransportRequest) async -> String? {
    let end = lifetime.map { now() + $0 + limits.slack }
    while !Task.isCancelled {
      let suspect = state.withLock { $0.heard } + limits.idle
      let now = now()
      if let end, end <= now { return "the server did not end it in time" }
      if suspect <= now {
        guard await isAlive(question(limits.answer)) else { return "nothing comes from the server any more" }
        continue
      }
      do { try await sleep(now.duration(to: min(suspect, end ?? suspect))) } catch { return nil }
    }
    return nil
  }

  private func isAlive(_ question: TransportRequest) async -> Bool {
    let task = state.withLock { state in
      if let task = state.question { return task }
      let task = Task { await self.ask(question) }
      state.question = task
      return task
    }
    return await task.value
  }

  private func ask(_ question: TransportRequest) async -> Bool {
    var isAlive = true
    do throws(TransportError) {
      _ = try await transport.send(question)
    } catch {
      // Another failure says nothing of the connection that the watch has.
      isAlive = error.code != .timeout
    }
    let now = now()
    state.withLock { state in
      state.question = nil
      if isAlive { state.heard = now }
    }
    return isAlive
  }
}
