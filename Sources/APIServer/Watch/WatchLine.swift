internal import HTTPMessage
internal import Synchronization

/// The body of a watch that ends with its first event. A stream as every watch's is, so that nobody makes another text of the line (kubernetes-wire W1).
final class WatchLine: HTTPBodyStream {
  private let line: Mutex<[UInt8]?>

  init(_ line: [UInt8]) { self.line = Mutex(line) }

  func start(wake: @escaping @Sendable () -> Void) {}

  func next() -> HTTPBodyStep {
    line.withLock { line in
      defer { line = nil }
      return line.map { .bytes($0) } ?? .end
    }
  }

  func cancel() {}

  func finish() {}
}
