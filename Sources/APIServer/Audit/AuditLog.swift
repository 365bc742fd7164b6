internal import Glibc
package import Logging
internal import Synchronization

/// A bounded queue in front of a file, and the thread that empties it: a slow disk holds up requests, once the queue is full, and never an event loop.
/// Nothing is dropped to make room.
package final class AuditLog: AuditSink {
  private struct State {
    var lines: [[UInt8]] = []
    /// Of all lines that were taken and are not written yet.
    var bytes = 0
    var isClosed = false
    var hasEnded = false
    /// Requests that wait for room, and who waits for the end.
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let file: any AuditFile
  private let capacity: Int
  private let metrics: ServerMetrics
  private let logger: Logger
  private let state = Mutex(State())
  /// A pipe: the thread reads from it while it has nothing to do, and gets a byte when there is something.
  private let signal: (read: CInt, write: CInt)

  /// Starts the thread. - Parameter capacity: bytes that may wait to be written.
  package init(_ file: any AuditFile, capacity: Int = 16 << 20, metrics: ServerMetrics, logger: Logger) {
    self.file = file
    self.capacity = capacity
    self.metrics = metrics
    self.logger = logger
    var ends: [CInt] = [0, 0]
    precondition(pipe(&ends) == 0, "no pipe for the audit log: error \(errno)")
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    signal = (ends[0], ends[1])
    let box = Unmanaged.passRetained(self).toOpaque()
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      {
        Unmanaged<AuditLog>.fromOpaque($0!).takeRetainedValue().run()
        return nil
      }, box)
    precondition(result == 0, "no thread for the audit log: error \(result)")
    pthread_detach(thread)
  }

  deinit {
    Glibc.close(signal.read)
    Glibc.close(signal.write)
  }

  package func write(_ line: [UInt8]) async {
    while !take(line, evenIfFull: false) {
      await wait { $0.bytes > 0 && $0.bytes + line.count > self.capacity && !$0.isClosed }
    }
  }

  package func writeNow(_ line: [UInt8]) { _ = take(line, evenIfFull: true) }

  /// Writes what is there and ends the thread. What comes later is lost, and counted.
  package func close() async {
    state.withLock { $0.isClosed = true }
    wake()
    await wait { !$0.hasEnded }
  }

  /// - Returns: false when there is no room.
  private func take(_ line: [UInt8], evenIfFull: Bool) -> Bool {
    let (isTaken, isFirst, isLost) = state.withLock { state -> (Bool, Bool, Bool) in
      if state.isClosed { return (true, false, true) }
      // A line that is longer than all there is goes alone.
      guard evenIfFull || state.bytes == 0 || state.bytes + line.count <= capacity else { return (false, false, false) }
      state.lines.append(line)
      state.bytes += line.count
      return (true, state.lines.count == 1, false)
    }
    if isLost { metrics.auditErrors.add() }
    if isFirst { wake() }
    return isTaken
  }

  /// Until something was written or has ended, if it must.
  private func wait(while mustWait: (borrowing State) -> Bool) async {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        guard mustWait(state) else { return true }
        state.waiting.append(continuation)
        return false
      }
      if isDone { continuation.resume() }
    }
  }

  private func wake() {
    var byte: UInt8 = 1
    _ = Glibc.write(signal.write, &byte, 1)
  }

  // MARK: The thread

  private func run() {
    var lost = 0
    while true {
      let (lines, isClosed) = state.withLock { state in
        defer { state.lines = [] }
        return (state.lines, state.isClosed)
      }
      if lines.isEmpty {
        if isClosed { break }
        var byte: UInt8 = 0
        _ = read(signal.read, &byte, 1)
        continue
      }
      do throws(AuditFileFailure) {
        try file.write(lines[...])
        if lost > 0 { logger.notice("the audit log is written again", metadata: ["lost-events": "\(lost)"]) }
        lost = 0
      } catch {
        // Said once: whoever is out of disk is not helped by more text.
        if lost == 0 { logger.error("audit events are lost", metadata: ["error": "\(error)"]) }
        lost += lines.count - error.written
        metrics.auditErrors.add(UInt64(lines.count - error.written))
      }
      let bytes = lines.reduce(0) { $0 + $1.count }
      resume { $0.bytes -= bytes }
    }
    resume { $0.hasEnded = true }
  }

  private func resume(_ change: (inout State) -> Void) {
    let waiting = state.withLock { state in
      change(&state)
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
