internal import AdapterKit
internal import HTTPMessage
internal import Synchronization

/// A log on its way to the client. One task reads ahead, at most ``limit`` bytes, and rests until the client has taken them.
final class LogBody: HTTPBodyStream {
  private struct State {
    var buffer: [UInt8] = []
    var hasEnded = false
    var hasFailed = false
    var wake: (@Sendable () -> Void)?
    /// The reader, while it rests.
    var rest: CheckedContinuation<Void, Never>?
    var reader: Task<Void, Never>?
  }

  private let stream: LogStream
  private let limit: Int
  private let state = Mutex(State())

  init(_ stream: LogStream, limit: Int = 256 << 10) {
    self.stream = stream
    self.limit = limit
  }

  func start(wake: @escaping @Sendable () -> Void) {
    // The task outlives this call because the server pulls; it ends with the log or with `cancel`.
    let reader = Task { await self.read() }
    state.withLock {
      $0.wake = wake
      $0.reader = reader
    }
    wake()
  }

  func next() -> HTTPBodyStep {
    let (step, rest) = state.withLock { state -> (HTTPBodyStep, CheckedContinuation<Void, Never>?) in
      defer { state.rest = nil }
      if !state.buffer.isEmpty {
        defer { state.buffer = [] }
        return (.bytes(state.buffer), state.rest)
      }
      if state.hasFailed { return (.abort, state.rest) }
      return (state.hasEnded ? .end : .wait(nil), state.rest)
    }
    rest?.resume()
    return step
  }

  func cancel() {
    let (reader, rest) = state.withLock { state in
      defer {
        state.rest = nil
        state.hasEnded = true
      }
      return (state.reader, state.rest)
    }
    reader?.cancel()
    stream.cancel()
    rest?.resume()
  }

  func finish() {
    cancel()
    state.withLock { $0.wake }?()
  }

  private func read() async {
    do throws(AdapterError) {
      while !state.withLock({ $0.hasEnded }), let piece = try await stream.next() {
        let (wake, isFull) = state.withLock { state in
          state.buffer += piece
          return (state.wake, state.buffer.count >= limit)
        }
        wake?()
        if isFull { await waitForRoom() }
      }
      state.withLock { $0.hasEnded = true }
    } catch {
      // The head is out, so all that is left is to break off; what was cancelled by us just ends.
      state.withLock {
        if !$0.hasEnded { $0.hasFailed = true }
        $0.hasEnded = true
      }
    }
    state.withLock { $0.wake }?()
  }

  private func waitForRoom() async {
    await withCheckedContinuation { continuation in
      let goOn = state.withLock { state in
        guard state.buffer.count >= limit, !state.hasEnded else { return true }
        state.rest = continuation
        return false
      }
      if goOn { continuation.resume() }
    }
  }
}
