internal import Glibc
internal import HTTPMessage
internal import Synchronization

/// A streamed body that tells what goes through it and, once, how it ended.
final class ObservedBody: HTTPBodyStream {
  enum End: Sendable { case complete, aborted, cancelled }

  private let body: any HTTPBodyStream
  /// Called with the size of each line, without its line feed; nil where lines mean nothing.
  private let line: (@Sendable (Int) -> Void)?
  private let ended: @Sendable (End) -> Void
  private let hasEnded = Atomic(false)

  init(_ body: any HTTPBodyStream, line: (@Sendable (Int) -> Void)?, ended: @escaping @Sendable (End) -> Void) {
    self.body = body
    self.line = line
    self.ended = ended
  }

  /// A body that nobody wanted after all.
  deinit { end(.cancelled) }

  func start(wake: @escaping @Sendable () -> Void) { body.start(wake: wake) }

  func next() -> HTTPBodyStep {
    let step = body.next()
    switch step {
    case .bytes(let bytes): countLines(bytes)
    case .wait: break
    case .end: end(.complete)
    case .abort: end(.aborted)
    }
    return step
  }

  func cancel() {
    body.cancel()
    end(.cancelled)
  }

  func finish() { body.finish() }

  private func end(_ how: End) {
    if !hasEnded.exchange(true, ordering: .relaxed) { ended(how) }
  }

  private func countLines(_ bytes: [UInt8]) {
    guard let line else { return }
    bytes.withUnsafeBytes { bytes in
      guard var start = bytes.baseAddress else { return }
      let end = start + bytes.count
      while start < end, let feed = memchr(start, 0x0A, end - start) {
        line(UnsafeRawPointer(feed) - start)
        start = UnsafeRawPointer(feed) + 1
      }
    }
  }
}
