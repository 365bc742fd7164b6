internal import NIOCore
internal import NIOHTTP1

/// Sends a job's log over one connection, no faster than the client takes it. Belongs to the engine's event loop.
final class LogStream {
  private let shell: EngineShell
  private let job: String
  private let query: LogQuery
  private let filter: LogFilter
  private let channel: any Channel
  private let finished: (Int) -> Void
  private var reader: LogReader
  private var tail: Int?
  private var isWriting = false
  private var isDone = false
  private var bytes = 0

  /// - Parameter finished: called once, with the number of bytes sent, when the last part was written or the client went away.
  init(shell: EngineShell, job: String, query: LogQuery, filter: LogFilter, channel: any Channel, finished: @escaping (Int) -> Void) {
    self.shell = shell
    self.job = job
    self.query = query
    self.filter = filter
    self.channel = channel
    self.finished = finished
    reader = LogReader(path: shell.logs.path(job))
    tail = query.tailLines
  }

  func start() {
    if query.follow { shell.follow(job, self) }
    pump()
  }

  func pump() {
    while !isDone, !isWriting {
      if !reader.isOpen { reader = LogReader(path: shell.logs.path(job)) }
      if let count = tail {
        tail = nil
        send(reader.tail(count, filter))
      } else if let piece = reader.next(filter) {
        send(piece)
      } else {
        if !query.follow || filter.isComplete(shell.state.jobs[job]) { end() }
        return
      }
    }
  }

  /// The connection is gone.
  func stop() { if !isDone { end() } }

  private func send(_ piece: [UInt8]) {
    guard !piece.isEmpty else { return }
    isWriting = true
    bytes += piece.count
    channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: piece)))).assumeIsolated().whenComplete {
      [self] result in
      isWriting = false
      switch result {
      case .success: pump()
      case .failure: stop()
      }
    }
  }

  private func end() {
    isDone = true
    shell.unfollow(job, self)
    finished(bytes)
  }
}
