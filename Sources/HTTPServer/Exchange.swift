import HTTPMessage
import NIOCore
import Synchronization

/// What an exchange needs of HTTP/1.1 or HTTP/2 to send its answer.
protocol ExchangeWire: AnyObject {
  /// False while the peer does not take what was written.
  var isWritable: Bool { get }
  /// `length` is that of the body in bytes, nil when it is not known. `end` says that no body follows.
  func writeHead(status: Int, headers: HTTPMessage.HTTPHeaders, length: Int?, end: Bool)
  func writeBody(_ bytes: [UInt8], end: Bool)
  func flush()
  /// Breaks the answer off so that the peer cannot take it for whole.
  func abort()
  /// The answer is complete or broken off. The exchange calls nothing after it.
  func exchangeEnded()
}

/// One request and its answer, on the connection's event loop. Collects the body, runs the responder in a task, and pulls a streaming body
/// while the peer takes it.
final class Exchange {
  private enum Phase {
    case receiving
    case responding(Task<Void, Never>)
    case streaming(any HTTPBodyStream, StreamWaker)
    /// A long body that is handed over as the peer takes it, so that the answers to slow readers share the responder's bytes.
    case sending([UInt8], from: Int)
    case ended
  }

  private let connection: Connection
  private var wire: (any ExchangeWire)?
  private var phase = Phase.receiving
  private var request: HTTPRequest?
  private let hold: BudgetHold
  /// Bytes of the body that the hold is for, which may not have come yet.
  private var room = 0
  private var announcedLength: Int?
  private let isHead: Bool
  private var timer: LazyTimer?
  private var pumping = false
  /// Since the peer takes no more, the timer stands for `stallTimeout`.
  private var isStalled = false
  /// Whether response bytes were written.
  private(set) var isAnswered = false

  /// At most this much is pulled from one stream before others get their turn.
  private static let turnBytes = 256 * 1024

  init(connection: Connection, wire: any ExchangeWire, request: HTTPRequest) {
    self.connection = connection
    self.wire = wire
    self.request = request
    hold = BudgetHold(connection: connection)
    isHead = request.method == "HEAD"
    connection.add(self)
  }

  var hasEnded: Bool { if case .ended = phase { true } else { false } }
  private var configuration: HTTPServerConfiguration { connection.core.configuration }

  // MARK: The request

  /// Call when a body will follow. False when it is announced as too large, or too much is unfinished: then the answer has been written.
  func expectBody(length: Int?) -> Bool {
    if let length {
      guard length <= configuration.maximumBodyBytes else {
        answer(StatusBody.tooLarge(limit: configuration.maximumBodyBytes))
        return false
      }
    }
    announcedLength = length
    guard hold.take(request.map(Self.headerBytes) ?? 0) else {
      answer(StatusBody.tooManyUnfinished)
      return false
    }
    timer = LazyTimer(loop: connection.loop) { [weak self] in
      guard let self, case .receiving = phase else { return }
      answer(StatusBody.timeout("the request body did not arrive within \(configuration.bodyTimeout)"))
    }
    timer?.set(configuration.bodyTimeout)
    return true
  }

  func receive(_ bytes: ByteBuffer) {
    guard case .receiving = phase, let count = request?.body.count else { return }
    guard count + bytes.readableBytes <= configuration.maximumBodyBytes else {
      return answer(StatusBody.tooLarge(limit: configuration.maximumBodyBytes))
    }
    guard makeRoom(for: count + bytes.readableBytes) else { return answer(StatusBody.tooManyUnfinished) }
    request?.body.append(contentsOf: bytes.readableBytesView)
  }

  /// Doubles the body's memory, up to what can come. What is announced is not reserved whole, or a lie would cost us memory.
  private func makeRoom(for needed: Int) -> Bool {
    guard needed > room else { return true }
    let most = max(announcedLength ?? configuration.maximumBodyBytes, needed)
    let larger = min(max(needed, room * 2, 4 * 1024), most)
    guard hold.take(larger - room) else { return false }
    room = larger
    request?.body.reserveCapacity(larger)
    return true
  }

  /// About what the request's header lines take in memory.
  private static func headerBytes(_ request: HTTPRequest) -> Int {
    request.headers.lines.reduce(1024) { $0 + $1.name.utf8.count + $1.value.utf8.count + 64 }
  }

  /// The request is complete: asks the responder.
  func receiveEnd() {
    guard case .receiving = phase, let request else { return }
    self.request = nil
    hold.release()
    timer?.cancel()
    timer = nil
    connection.responding += 1
    let core = connection.core
    core.responding.add(1, ordering: .relaxed)
    let loop = connection.loop
    let bound = NIOLoopBound(self, eventLoop: loop)
    phase = .responding(
      Task {
        let response = await core.responder.respond(to: request)
        loop.execute {
          bound.value.connection.responding -= 1
          core.responding.subtract(1, ordering: .relaxed)
          bound.value.deliver(response)
        }
      })
  }

  // MARK: The answer

  private func deliver(_ response: HTTPResponse) {
    guard case .responding = phase else { return Self.discard(response) }
    answer(response)
  }

  /// Answers in place of the responder too, such as 413.
  func answer(_ response: HTTPResponse) {
    guard let wire, !hasEnded else { return Self.discard(response) }
    timer?.cancel()
    timer = nil
    request = nil
    hold.release()
    isAnswered = true
    let bodyless = isHead || response.status == 204 || response.status == 304 || response.status < 200
    switch response.body {
    case .bytes(let bytes) where bytes.count > Self.turnBytes && !bodyless:
      phase = .sending(bytes, from: 0)
      wire.writeHead(status: response.status, headers: response.headers, length: bytes.count, end: false)
      pump()
    case .bytes(let bytes):
      let end = bodyless || bytes.isEmpty
      // A 204 has no length, and that of a 304 would be the 200's (RFC 9110 8.6); a HEAD answer has that of the GET.
      let length = [204, 304].contains(response.status) || response.status < 200 ? nil : bytes.count
      complete { wire in
        wire.writeHead(status: response.status, headers: response.headers, length: length, end: end)
        if !end { wire.writeBody(bytes, end: true) }
        wire.flush()
      }
    case .stream where bodyless:
      Self.discard(response)
      complete { wire in
        wire.writeHead(status: response.status, headers: response.headers, length: nil, end: true)
        wire.flush()
      }
    case .stream(let stream):
      let waker = StreamWaker(queue: connection.tools.wakes, exchange: self)
      phase = .streaming(stream, waker)
      stream.start { waker.wake() }
      // Clients wait for the head before they go on, so it does not wait for the first bytes (kubernetes-wire F12).
      wire.writeHead(status: response.status, headers: response.headers, length: nil, end: false)
      wire.flush()
      if connection.isDraining { finish() }
      pump()
    }
  }

  /// A stream that nobody will read. `start` comes before everything else, so it comes here as well.
  private static func discard(_ response: HTTPResponse) {
    guard case .stream(let stream) = response.body else { return }
    stream.start {}
    stream.cancel()
  }

  /// Hands the body over while the peer takes it. Called again whenever more may go.
  func pump() {
    guard !pumping, let wire else { return }
    guard wire.isWritable else { return stall() }
    isStalled = false
    timer?.clear()
    pumping = true
    defer { pumping = false }
    switch phase {
    case .streaming(let stream, let waker): pull(stream, waker)
    case .sending: send()
    case .receiving, .responding, .ended: break
    }
  }

  private func send() {
    while let wire, wire.isWritable, case .sending(let bytes, let start) = phase {
      let end = min(start + Self.turnBytes, bytes.count)
      let piece = Array(bytes[start..<end])
      guard end < bytes.count else {
        return complete { wire in
          wire.writeBody(piece, end: true)
          wire.flush()
        }
      }
      phase = .sending(bytes, from: end)
      wire.writeBody(piece, end: false)
      wire.flush()
    }
    if let wire, !wire.isWritable { stall() }
  }

  private func pull(_ stream: any HTTPBodyStream, _ waker: StreamWaker) {
    var written = 0
    while let wire {
      guard wire.isWritable else {
        stall()
        break
      }
      guard written < Self.turnBytes else {
        waker.wake()
        break
      }
      switch stream.next() {
      case .bytes(let bytes):
        guard !bytes.isEmpty else { continue }
        written += bytes.count
        wire.writeBody(bytes, end: false)
      case .wait(let duration):
        if written > 0 { wire.flush() }
        if let duration { wait(duration) }
        return
      case .end:
        return complete { wire in
          wire.writeBody([], end: true)
          wire.flush()
        }
      case .abort: return complete { $0.abort() }
      }
      // A write can tell us at once that the peer has gone.
      guard case .streaming = phase else { return }
    }
    if written > 0 { wire?.flush() }
  }

  private func wait(_ duration: Duration) {
    if timer == nil {
      timer = LazyTimer(loop: connection.loop) { [weak self] in
        guard let self else { return }
        if isStalled { giveUp() } else { pump() }
      }
    }
    timer?.set(duration)
  }

  /// Counts from the first time that nothing went; events that come meanwhile do not prolong it.
  private func stall() {
    guard !isStalled else { return }
    switch phase {
    case .streaming, .sending: break
    case .receiving, .responding, .ended: return
    }
    isStalled = true
    wait(configuration.stallTimeout)
  }

  private func giveUp() {
    if case .streaming(let stream, _) = phase { stream.cancel() }
    complete { $0.abort() }
  }

  /// The server is shutting down.
  func finish() {
    guard case .streaming(let stream, let waker) = phase else { return }
    stream.finish()
    waker.wake()
  }

  /// The peer has gone.
  func gone() {
    switch phase {
    case .responding(let task): task.cancel()
    case .streaming(let stream, _): stream.cancel()
    case .receiving, .sending, .ended: break
    }
    release()
  }

  /// Writes the last bytes. Everything is let go before, since writing them can at once bring the news that the stream is closed.
  private func complete(_ write: (any ExchangeWire) -> Void) {
    guard let wire else { return }
    release()
    write(wire)
    wire.exchangeEnded()
  }

  private func release() {
    if case .streaming(_, let waker) = phase { waker.end() }
    phase = .ended
    timer?.cancel()
    timer = nil
    request = nil
    hold.release()
    wire = nil
    connection.remove(self)
  }
}
