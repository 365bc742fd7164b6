import AdapterKit
import Synchronization

/// The bytes between the driver thread and one reader: at most about 256 KiB, then the transfer is paused until the reader has taken them.
final class StreamBuffer: Sendable {
  static let highWatermark = 256 << 10

  private struct State {
    var bytes: [UInt8] = []
    var paused = false
    var end: Result<Void, TransportError>?
    var reader: CheckedContinuation<Result<[UInt8]?, TransportError>, Never>?
  }
  private let state = Mutex(State())

  /// Called by the driver. False when the transfer must pause: nothing was taken then, and libcurl offers the same bytes again.
  func offer(_ data: UnsafeRawBufferPointer) -> Bool {
    let waiting = state.withLock { state -> (CheckedContinuation<Result<[UInt8]?, TransportError>, Never>?, Bool) in
      if let reader = state.reader {
        state.reader = nil
        return (reader, true)
      }
      if state.bytes.count >= StreamBuffer.highWatermark {
        state.paused = true
        return (nil, false)
      }
      state.bytes.append(contentsOf: data)
      return (nil, true)
    }
    waiting.0?.resume(returning: .success(Array(data)))
    return waiting.1
  }

  /// Called by the driver, once.
  func finish(_ end: Result<Void, TransportError>) {
    let reader = state.withLock { state in
      if state.end == nil { state.end = end }
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: end.map { nil })
  }

  /// What is there, or the next piece; nil at the end. `resume` is called when a paused transfer may go on.
  func next(resume: () -> Void) async throws(TransportError) -> [UInt8]? {
    let result = await withCheckedContinuation { continuation in
      let (answer, unpause) = state.withLock { state -> (Result<[UInt8]?, TransportError>?, Bool) in
        if !state.bytes.isEmpty {
          let bytes = state.bytes
          state.bytes = []
          defer { state.paused = false }
          return (.success(bytes), state.paused)
        }
        if let end = state.end { return (end.map { nil }, false) }
        if state.reader != nil {
          return (.failure(TransportError(.invalidRequest, "two readers of one stream", mayHaveBeenSent: true)), false)
        }
        state.reader = continuation
        return (nil, false)
      }
      if let answer { continuation.resume(returning: answer) }
      if unpause { resume() }
    }
    return try result.get()
  }
}
