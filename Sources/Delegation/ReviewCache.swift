import KubeWire
import Synchronization

/// Answers of the cluster, each for its own time, and one question at a time for the same key. What failed is never kept. How many are asked
/// at one time is bounded, kept or not.
final class ReviewCache<Value: Sendable>: Sendable {
  /// What was found out, and for how long it holds; zero keeps nothing.
  struct Finding: Sendable {
    var value: Value
    var holds: Duration
  }

  private enum Way {
    case known(Value)
    case wait(Task<Result<Value, StatusError>, Never>)
    case full
  }

  private struct State {
    var known: LRUCache<[UInt8], (value: Value, until: ContinuousClock.Instant)>
    var running: [[UInt8]: Running] = [:]
    var strangers = 0
  }

  private struct Running {
    var task: Task<Result<Value, StatusError>, Never>
    var isStrangers: Bool
  }

  private let maximumRunning: Int
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state: Mutex<State>

  init(capacity: Int, maximumRunning: Int = 1_000, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.maximumRunning = maximumRunning
    self.now = now
    state = Mutex(State(known: LRUCache(capacity: capacity)))
  }

  var count: Int { state.withLock { $0.known.count } }

  /// The value for a key, known or found out now. Whoever asks while somebody else is finding out waits for the same answer; one who leaves
  /// does not end it for the others.
  ///
  /// - Parameter ofStranger: nobody has vouched for who asks. Strangers have half of what may be found out at one time, so that they do not
  ///   keep out the others.
  /// - Throws: what `find` failed with; 429 when too many are being found out.
  func value(
    for key: [UInt8], ofStranger: Bool = false, _ find: @escaping @Sendable () async -> Result<Finding, StatusError>
  ) async throws(StatusError) -> Value {
    let way = state.withLock { state -> Way in
      if let (value, until) = state.known.value(for: key), now() < until { return .known(value) }
      if let running = state.running[key] { return .wait(running.task) }
      guard state.running.count < maximumRunning, !ofStranger || state.strangers < maximumRunning / 2 else { return .full }
      let task = Task {
        let result = await find()
        self.finish(key, result)
        return result.map(\.value)
      }
      state.running[key] = Running(task: task, isStrangers: ofStranger)
      if ofStranger { state.strangers += 1 }
      return .wait(task)
    }
    switch way {
    case .known(let value): return value
    case .wait(let task): return try await task.value.get()
    case .full: throw .tooManyRequests("too many requests wait for the cluster's answer, please try again later")
    }
  }

  private func finish(_ key: [UInt8], _ result: Result<Finding, StatusError>) {
    state.withLock { state in
      if state.running.removeValue(forKey: key)?.isStrangers == true { state.strangers -= 1 }
      if case .success(let finding) = result, finding.holds > .zero {
        state.known.set((finding.value, now().advanced(by: finding.holds)), for: key)
      }
    }
  }
}
