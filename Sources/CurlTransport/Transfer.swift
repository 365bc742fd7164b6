import AdapterKit
import Synchronization

/// One request on its way.
///
/// Everything but `start` and `cancelled` belongs to the driver thread once the transfer was posted, and to nobody else; that is what
/// `@unchecked` stands for.
final class Transfer: @unchecked Sendable {
  enum Sink {
    case collected(CheckedContinuation<Result<TransportResponse, TransportError>, Never>)
    /// The continuation is nil once the head was handed over.
    case streamed(CheckedContinuation<Result<TransportResponse, TransportError>, Never>?, StreamBuffer)
  }

  let checked: CheckedRequest
  let buffer: StreamBuffer?

  private struct Start {
    var cancelled = false
    var driver: CurlDriver?
    var continuation: CheckedContinuation<Result<TransportResponse, TransportError>, Never>?
  }
  private let start = Mutex(Start())

  // Driver thread only.
  var handle: UnsafeMutableRawPointer?
  var headerList: UnsafeMutableRawPointer?
  var connectList: UnsafeMutableRawPointer?
  let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: 256)
  var sink: Sink?
  var status = 0
  var headers: [(name: String, value: String)] = []
  var headerBytes = 0
  var headIsComplete = false
  var body: [UInt8] = []
  var bodyBytes = 0
  /// How often libcurl was about to send the request; more than once when it repeats it on a new connection.
  var attempts = 0
  /// Our own reason to stop, which libcurl only sees as "callback failed".
  var stop: TransportError.Code?
  /// For streams: when the head must be there, in nanoseconds of the monotonic clock.
  var headDeadline: UInt64?
  /// When libcurl was last about to send it, and when something of the answer came last, on the same clock; 0 for never.
  var sentAt: UInt64 = 0
  var lastHeard: UInt64 = 0
  /// Whether it shares its connection with others. Known when the answer begins.
  var isHTTP2 = false

  init(_ checked: CheckedRequest, buffer: StreamBuffer? = nil) {
    self.checked = checked
    self.buffer = buffer
    errorText.initialize(repeating: 0, count: 256)
  }

  deinit { errorText.deallocate() }

  /// Stores who waits. False when the task was cancelled before: then nothing must be posted.
  func begin(_ continuation: CheckedContinuation<Result<TransportResponse, TransportError>, Never>) -> Bool {
    start.withLock { start in
      if start.cancelled { return false }
      start.continuation = continuation
      return true
    }
  }

  /// Says who gets it. Again, when that driver no longer took it.
  func assign(_ driver: CurlDriver) { start.withLock { $0.driver = driver } }

  /// The driver that was given it; nil before.
  var driver: CurlDriver? { start.withLock { $0.driver } }

  /// Marks it cancelled. - Returns: the driver that must be told.
  func markCancelled() -> CurlDriver? {
    start.withLock { start in
      start.cancelled = true
      return start.driver
    }
  }

  /// Driver thread: takes over who waits. False when the task was cancelled meanwhile.
  func adopt() -> Bool {
    let start = start.withLock { $0 }
    guard let continuation = start.continuation else { return false }
    sink = buffer.map { .streamed(continuation, $0) } ?? .collected(continuation)
    return !start.cancelled
  }

  /// Driver thread: one header line, with its line end. False when there are too many bytes of them.
  func header(_ line: UnsafeRawBufferPointer) -> Bool {
    lastHeard = monotonicNow()
    headerBytes += line.count
    guard headerBytes <= 256 << 10 else {
      stop = .tooLarge
      return false
    }
    if headIsComplete { return true }
    var text = Substring(String(decoding: line, as: UTF8.self))
    while let last = text.unicodeScalars.last, last == "\r" || last == "\n" { text.unicodeScalars.removeLast() }
    if text.hasPrefix("HTTP/") {
      // A final answer follows an interim one (1xx): only the last head counts.
      headers = []
      isHTTP2 = text.hasPrefix("HTTP/2")
      let words = text.split(separator: " ", maxSplits: 2)
      status = words.count > 1 ? Int(words[1]) ?? 0 : 0
    } else if text.isEmpty {
      guard status >= 200 else { return true }
      headIsComplete = true
      if case .streamed(let continuation?, let buffer) = sink {
        sink = .streamed(nil, buffer)
        headDeadline = nil
        continuation.resume(returning: .success(TransportResponse(status: status, headers: headers)))
      }
    } else if let colon = text.firstIndex(of: ":") {
      headers.append((String(text[..<colon]), text[text.index(after: colon)...].trimmingBlanks))
    }
    return true
  }

  enum Taken { case all, pause, stop }

  /// Driver thread: a piece of the body.
  func data(_ bytes: UnsafeRawBufferPointer) -> Taken {
    lastHeard = monotonicNow()
    guard bodyBytes + bytes.count <= checked.request.maximumResponseBytes else {
      stop = .tooLarge
      return .stop
    }
    if case .streamed(_, let buffer) = sink {
      guard buffer.offer(bytes) else { return .pause }
    } else {
      body.append(contentsOf: bytes)
    }
    bodyBytes += bytes.count
    return .all
  }

  /// Driver thread: tells who waits how it ended. nil for a whole answer.
  func finish(_ error: TransportError?) {
    defer { sink = nil }
    switch sink {
    case .collected(let continuation):
      if let error {
        continuation.resume(returning: .failure(error))
      } else {
        continuation.resume(returning: .success(TransportResponse(status: status, headers: headers, body: body)))
      }
    case .streamed(let continuation?, let buffer):
      // No blank line came: an answer without a head is no answer.
      let error = error ?? TransportError(.broken, "\(checked.host) ended the answer before its head was whole", mayHaveBeenSent: true)
      buffer.finish(.failure(error))
      continuation.resume(returning: .failure(error))
    case .streamed(nil, let buffer):
      buffer.finish(error.map { .failure($0) } ?? .success(()))
    case nil: break
    }
  }
}

extension Substring {
  fileprivate var trimmingBlanks: String {
    var text = self
    while let first = text.unicodeScalars.first, first == " " || first == "\t" { text.unicodeScalars.removeFirst() }
    while let last = text.unicodeScalars.last, last == " " || last == "\t" { text.unicodeScalars.removeLast() }
    return String(text)
  }
}
