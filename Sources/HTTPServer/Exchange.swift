import HTTPMessage
import NIOCore
import Synchronization

/// What an exchange needs of HTTP/1.1 or HTTP/2 to send its answer.
protocol ExchangeWire: AnyObject {
  /// False while the peer does not take what was written.
  var isWritable: Bool { get }
  /// `length` is that of the body in bytes, nil when it is not known. `end` says that no body follows. The promise is kept when the system
  /// has taken the bytes, and broken when it never will; so is that of `writeBody`.
  func writeHead(status: Int, headers: HTTPMessage.HTTPHeaders, length: Int?, end: Bool, promise: EventLoopPromise<Void>?)
  func writeBody(_ bytes: ArraySlice<UInt8>, end: Bool, promise: EventLoopPromise<Void>?)
  func flush()
  /// Breaks the answer off so that the peer cannot take it for whole.
  func abort()
  /// The answer is complete and the system has taken all of it, or it is broken off. The exchange calls nothing after it.
  func exchangeEnded()
}

/// One request and its answer, on the connection's event loop. Collects the body, runs the responder in a task, and pulls a streaming body
/// while the peer takes it.
final class Exchange {
  private enum Phase {
    case receiving
    case responding(Task<Void, Never>)
    case streaming(any HTTPBodyStream, StreamWaker)
    /// A body that is handed over as the peer takes it, so that the answers to slow readers share the responder's bytes.
    case sending([UInt8], from: Int)
    /// All is written, but not all of it has been taken.
    case draining
    case ended
  }

  private let connection: Connection
  private var wire: (any ExchangeWire)?
  private var phase = Phase.receiving
  private var request: HTTPRequest?
  /// Nil when the responder has the request.
  private var hold: BudgetHold?
  /// Bytes of the body that the hold is for, which may not have come yet.
  private var room = 0
  private var announcedLength: Int?
  private let isHead: Bool
  /// Of the request's body; then of a stream that wants to be asked again.
  private var timer: LazyTimer?
  private var stallTimer: LazyTimer?
  /// Whether the stall timer is running.
  private var isWaiting = false
  /// Whether it could write nothing more when it looked last.
  private var isBlocked = false
  /// Writes that the system has not taken yet.
  private var outstanding = 0
  /// Whether this exchange is writing: what happens meanwhile is looked at afterwards.
  private var isWriting = false
  /// Whether response bytes were written.
  private(set) var isAnswered = false

  /// At most this much is pulled from one stream before others get their turn.
  private static let turnBytes = 256 * 1024
  /// A slow reader shows that it goes on by each of these that it takes.
  private static let pieceBytes = 64 * 1024

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

  /// Call first. False when there is no room for the header lines: then the answer has been written.
  func admit() -> Bool {
    guard let request, let hold else { return false }
    if hold.take(Self.headerBytes(request)) { return true }
    answer(StatusBody.tooManyUnfinished)
    return false
  }

  /// Call when a body will follow. False when it is announced as too large: then the answer has been written.
  func expectBody(length: Int?) -> Bool {
    if let length {
      guard length <= configuration.maximumBodyBytes else {
        answer(StatusBody.tooLarge(limit: configuration.maximumBodyBytes))
        return false
      }
    }
    announcedLength = length
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
    guard hold?.take(larger - room) == true else { return false }
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
    guard case .receiving = phase, var request else { return }
    // Its body may have taken a minute, and its CA have been withdrawn.
    request.peer = connection.currentPeer()
    // Who sends it may take long to find out, and until then no other limit counts it: what a stranger sent keeps its room until the
    // responder returns, whether or not the stranger is still there. A known peer is soon among the requests in progress.
    let hold = self.hold
    if request.peer.certificate != nil { hold?.release() }
    (self.request, self.hold) = (nil, nil)
    timer?.cancel()
    timer = nil
    connection.responding += 1
    let core = connection.core
    core.responding.add(1, ordering: .relaxed)
    let loop = connection.loop
    let bound = NIOLoopBound((exchange: self, hold: hold), eventLoop: loop)
    phase = .responding(
      Task { [request] in
        let response = await core.responder.respond(to: request)
        loop.execute {
          let (exchange, hold) = bound.value
          hold?.release()
          exchange.connection.responding -= 1
          core.responding.subtract(1, ordering: .relaxed)
          exchange.deliver(response)
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
    guard let wire, !isAnswered else { return Self.discard(response) }
    timer?.cancel()
    timer = nil
    request = nil
    hold?.release()
    isAnswered = true
    let bodyless = isHead || response.status == 204 || response.status == 304 || response.status < 200
    write {
      switch response.body {
      case .bytes(let bytes):
        // A 204 has no length, and that of a 304 would be the 200's (RFC 9110 8.6); a HEAD answer has that of the GET.
        let length = [204, 304].contains(response.status) || response.status < 200 ? nil : bytes.count
        let end = bodyless || bytes.isEmpty
        phase = end ? .draining : .sending(bytes, from: 0)
        wire.writeHead(
          status: response.status, headers: response.headers, length: length, end: end, promise: end ? outstandingPromise() : nil)
        if end { wire.flush() } else { send() }
      case .stream where bodyless:
        Self.discard(response)
        phase = .draining
        wire.writeHead(status: response.status, headers: response.headers, length: nil, end: true, promise: outstandingPromise())
        wire.flush()
      case .stream(let stream):
        let waker = StreamWaker(queue: connection.tools.wakes, exchange: self)
        phase = .streaming(stream, waker)
        stream.start { waker.wake() }
        // Clients wait for the head before they go on, so it does not wait for the first bytes (kubernetes-wire F12).
        wire.writeHead(status: response.status, headers: response.headers, length: nil, end: false, promise: outstandingPromise())
        wire.flush()
        if connection.isDraining { finish() }
        if wire.isWritable { pull() }
      }
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
    write {
      guard let wire, wire.isWritable else { return }
      if isBlocked {
        (isBlocked, isWaiting) = (false, false)
        stallTimer?.clear()
      }
      switch phase {
      case .streaming:
        timer?.clear()
        pull()
      case .sending: send()
      case .receiving, .responding, .draining, .ended: break
      }
    }
  }

  private func send() {
    while let wire, wire.isWritable, case .sending(let bytes, let start) = phase {
      let end = min(start + Self.turnBytes, bytes.count)
      phase = end < bytes.count ? .sending(bytes, from: end) : .draining
      for piece in stride(from: start, to: end, by: Self.pieceBytes) {
        let pieceEnd = min(piece + Self.pieceBytes, end)
        wire.writeBody(bytes[piece..<pieceEnd], end: pieceEnd == bytes.count, promise: outstandingPromise())
      }
      wire.flush()
    }
  }

  private func pull() {
    guard case .streaming(let stream, let waker) = phase else { return }
    var written = 0
    var flushed = 0
    while let wire {
      if !wire.isWritable, flushed < written {
        // Which may make room at once, and tells nobody later.
        wire.flush()
        flushed = written
      }
      guard wire.isWritable else { break }
      guard written < Self.turnBytes else {
        waker.wake()
        break
      }
      switch stream.next() {
      case .bytes(let bytes):
        guard !bytes.isEmpty else { continue }
        written += bytes.count
        wire.writeBody(bytes[...], end: false, promise: outstandingPromise())
      case .wait(let duration):
        if flushed < written { wire.flush() }
        if let duration { wait(duration) }
        return
      case .end:
        waker.end()
        phase = .draining
        wire.writeBody([], end: true, promise: outstandingPromise())
        return wire.flush()
      case .abort: return breakOff()
      }
      // A write can tell us at once that the peer has gone.
      guard case .streaming = phase else { return }
    }
    if flushed < written { wire?.flush() }
  }

  private func wait(_ duration: Duration) {
    if timer == nil { timer = LazyTimer(loop: connection.loop) { [weak self] in self?.pump() } }
    timer?.set(duration)
  }

  // MARK: What becomes of what was written

  /// Writes, then looks whether all of it was taken.
  private func write(_ body: () -> Void) {
    guard !isWriting, !hasEnded else { return }
    isWriting = true
    body()
    isWriting = false
    settle()
  }

  /// For one more write.
  private func outstandingPromise() -> EventLoopPromise<Void> {
    outstanding += 1
    let promise = connection.loop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { _ in
      self.outstanding -= 1
      // The peer goes on, though slowly.
      if self.isWaiting { self.stallTimer?.set(self.configuration.stallTimeout) }
      if !self.isWriting { self.settle() }
    }
    return promise
  }

  /// Ends the exchange when the peer has all of the answer, and counts the time that it takes nothing of it. An idle watch has nothing ready.
  private func settle() {
    guard let wire else { return }
    switch phase {
    case .receiving, .responding, .ended: return
    case .draining where outstanding == 0: return end()
    case .streaming, .sending, .draining: break
    }
    // Events that come meanwhile do not prolong it.
    isBlocked = !wire.isWritable
    let waits = outstanding > 0 || isBlocked
    guard waits != isWaiting else { return }
    isWaiting = waits
    guard waits else {
      stallTimer?.clear()
      return
    }
    if stallTimer == nil {
      stallTimer = LazyTimer(loop: connection.loop) { [weak self] in
        guard let self else { return }
        if case .streaming(let stream, _) = phase { stream.cancel() }
        breakOff()
      }
    }
    stallTimer?.set(configuration.stallTimeout)
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
    case .receiving, .sending, .draining, .ended: break
    }
    release()
  }

  private func breakOff() {
    let wire = self.wire
    end { wire?.abort() }
  }

  /// Everything is let go before, since writing can at once bring the news that the stream is closed.
  private func end(_ lastly: () -> Void = {}) {
    let wire = self.wire
    release()
    lastly()
    wire?.exchangeEnded()
  }

  private func release() {
    if case .streaming(_, let waker) = phase { waker.end() }
    phase = .ended
    for timer in [timer, stallTimer] { timer?.cancel() }
    (timer, stallTimer) = (nil, nil)
    request = nil
    hold?.release()
    wire = nil
    connection.remove(self)
  }
}
