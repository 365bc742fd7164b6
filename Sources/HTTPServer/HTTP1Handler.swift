import HTTPMessage
import Logging
import NIOCore
import NIOHTTP1

/// Speaks HTTP/1.1 (and 1.0) for one connection: one exchange after the other, in the order of the requests.
final class HTTP1Handler: ChannelDuplexHandler, ExchangeWire {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  /// What came while an earlier request was not answered yet.
  private enum Event {
    case part(HTTPServerRequestPart)
    case failure(HTTPParserError)
  }

  private let connection: Connection
  private var context: ChannelHandlerContext?
  private var exchange: Exchange?
  private var requestIsComplete = true
  private var queue = CircularBuffer<Event>(initialCapacity: 0)
  private var readIsHeld = false
  /// For a header that has not come whole, and for what came before its turn.
  private let hold: BudgetHold
  /// For the trailers of a chunked body, which the decoder keeps until they are whole.
  private let trailerHold: BudgetHold
  /// Of the bytes that the decoder has in hand now, those it has not made a part of yet.
  private var arriving = 0

  private var keepAlive = true
  private var version = HTTPVersion.http1_1
  /// The request's body; then the answer's.
  private var isChunkedRequest = false
  private var isChunked = false

  /// The last answer is on its way; whatever still comes is thrown away.
  private var isClosing = false
  private var idleTimer: LazyTimer?
  private var headerTimer: LazyTimer?
  private var closeTimer: LazyTimer?

  init(connection: Connection) {
    self.connection = connection
    hold = BudgetHold(connection: connection)
    trailerHold = BudgetHold(connection: connection)
  }

  private var configuration: HTTPServerConfiguration { connection.core.configuration }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    let loop = context.eventLoop
    idleTimer = LazyTimer(loop: loop) { [weak self] in self?.connection.close() }
    headerTimer = LazyTimer(loop: loop) { [weak self] in
      guard let self, exchange == nil, !isClosing else { return }
      refuse(StatusBody.timeout("the request header did not arrive within \(configuration.headerTimeout)"))
    }
    closeTimer = LazyTimer(loop: loop) { [weak self] in self?.connection.close() }
    idleTimer?.set(configuration.headerTimeout)
    connection.onDrain = { [weak self] in
      guard let self, exchange == nil, !isClosing else { return }
      connection.close()
    }
    if connection.core.isDraining { connection.drain() }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    exchange?.gone()
    exchange = nil
    end()
    context.fireChannelInactive()
  }

  private func end() {
    for timer in [idleTimer, headerTimer, closeTimer] { timer?.cancel() }
    (idleTimer, headerTimer, closeTimer) = (nil, nil, nil)
    queue.removeAll()
    hold.release()
    trailerHold.release()
    context = nil
    connection.onDrain = nil
  }

  // MARK: What comes in

  /// Bytes arrived, of a header perhaps. False when they are not wanted.
  func bytesArrived(_ count: Int) -> Bool {
    guard !isClosing else { return false }
    arriving = count
    // Those of a body are the exchange's matter; `bytesDecoded` looks for what is none.
    guard requestIsComplete else { return true }
    guard hold.take(count) else {
      if exchange != nil {
        connection.close()
      } else {
        // More of the header is still to come.
        requestIsComplete = false
        refuse(StatusBody.tooManyUnfinished)
      }
      return false
    }
    guard exchange == nil else { return true }
    idleTimer?.clear()
    headerTimer?.set(configuration.headerTimeout)
    return true
  }

  /// The decoder has made parts of what arrived. What is not of the body then, it may have kept: of trailers it keeps every byte.
  func bytesDecoded(_ count: Int) {
    guard isChunkedRequest, !requestIsComplete, !isClosing else { return }
    // The last chunk comes before the trailers: with data, the decoder had no trailers before.
    if arriving < count { trailerHold.release() }
    if !trailerHold.take(arriving) { refuse(StatusBody.tooManyUnfinished) }
  }

  /// What the hold was for has its turn now.
  private func releaseHold() { if queue.isEmpty { hold.release() } }

  func read(context: ChannelHandlerContext) {
    // A pipelined request waits in the socket, not in our memory. Without one, reading goes on: that is how the end of the peer shows.
    if queue.isEmpty { context.read() } else { readIsHeld = true }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { received(.part(unwrapInboundIn(data))) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError { return received(.failure(error)) }
    connection.core.logger.debug("connection failed", metadata: ["peer": "\(connection.peer.address)", "error": "\(error)"])
    context.close(promise: nil)
  }

  private func received(_ event: Event) {
    if case .part(.body(let bytes)) = event { arriving = max(0, arriving - bytes.readableBytes) }
    if exchange != nil && requestIsComplete || !queue.isEmpty { queue.append(event) } else { handle(event) }
  }

  private func handle(_ event: Event) {
    guard !isClosing else {
      if case .part(.end) = event { requestIsComplete = true }
      return
    }
    switch event {
    case .part(.head(let head)): begin(head)
    case .part(.body(let bytes)): exchange?.receive(bytes)
    case .part(.end):
      requestIsComplete = true
      trailerHold.release()
      releaseHold()
      exchange?.receiveEnd()
    case .failure(let error): refuse(Self.answer(to: error))
    }
  }

  private func begin(_ head: HTTPRequestHead) {
    idleTimer?.clear()
    headerTimer?.clear()
    requestIsComplete = false
    releaseHold()
    version = head.version
    // The decoder takes what follows a request to upgrade for another protocol. We offer none and answer as if it had not been asked.
    let upgrades = head.method == .CONNECT || head.headers.contains(name: "upgrade")
    keepAlive = head.isKeepAlive && !connection.mustEnd && !upgrades
    isChunkedRequest = head.headers.contains(name: "transfer-encoding")
    guard head.version.major == 1 else {
      return refuse(StatusBody.response(505, reason: "BadRequest", message: "unsupported HTTP version"))
    }
    if head.version.minor > 0, head.headers[canonicalForm: "host"].count != 1 {
      return refuse(StatusBody.badRequest("an HTTP/1.1 request needs exactly one Host header"))
    }
    guard let target = RequestTarget(head.uri) else { return refuse(StatusBody.badRequest("the request target is no absolute path")) }
    let request = HTTPRequest(
      method: head.method.rawValue, path: target.path, query: target.query,
      headers: HTTPHeaders(head.headers.map { (name: $0.name, value: $0.value) }),
      peer: connection.currentPeer())
    let length = head.headers.first(name: "content-length").flatMap { Int($0) }
    let exchange = Exchange(connection: connection, wire: self, request: request)
    self.exchange = exchange
    guard exchange.admit(), length ?? 0 > 0 || isChunkedRequest else { return }
    guard exchange.expectBody(length: length) else { return }
    guard let expectation = head.headers.first(name: "expect"), head.version.minor > 0 else { return }
    guard expectation.lowercased() == "100-continue" else {
      return exchange.answer(StatusBody.response(417, reason: "BadRequest", message: "the expectation cannot be met"))
    }
    write("HTTP/1.1 100 Continue\r\n\r\n")
    flush()
  }

  private static func answer(to error: HTTPParserError) -> HTTPResponse {
    switch error {
    case .headerOverflow: StatusBody.response(431, reason: "BadRequest", message: "the request header is too large")
    case .invalidVersion: StatusBody.response(505, reason: "BadRequest", message: "unsupported HTTP version")
    default: StatusBody.badRequest("the request is malformed: \(error)")
    }
  }

  /// Answers what is no proper request and ends the connection. An answer already begun can only be cut.
  private func refuse(_ response: HTTPResponse) {
    keepAlive = false
    if let exchange {
      guard !exchange.isAnswered else { return connection.close() }
      return exchange.answer(response)
    }
    guard case .bytes(let body) = response.body else { return }
    writeHead(status: response.status, headers: response.headers, length: body.count, end: false, promise: nil)
    writeBody(body[...], end: true, promise: nil)
    flush()
    closeSoon()
  }

  // MARK: What goes out

  var isWritable: Bool { context?.channel.isWritable ?? false }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    exchange?.pump()
    context.fireChannelWritabilityChanged()
  }

  func writeHead(status: Int, headers: HTTPMessage.HTTPHeaders, length: Int?, end: Bool, promise: EventLoopPromise<Void>?) {
    guard let context else { return promise.fail() }
    // A body that was not read to its end leaves the connection unusable.
    if !requestIsComplete || connection.mustEnd { keepAlive = false }
    isChunked = length == nil && !end && version.minor > 0
    if length == nil && !end && version.minor == 0 { keepAlive = false }
    let out = HTTP1Head.encode(
      status: status, headers: headers, length: length, isChunked: isChunked, keepAlive: keepAlive, version: version,
      date: connection.tools.date,
      allocator: context.channel.allocator)
    context.write(wrapOutboundOut(out), promise: promise)
  }

  func writeBody(_ bytes: ArraySlice<UInt8>, end: Bool, promise: EventLoopPromise<Void>?) {
    guard let context else { return promise.fail() }
    let room = bytes.count + (isChunked ? 24 : 0)
    guard room > 0 else {
      promise?.succeed()
      return
    }
    var out = context.channel.allocator.buffer(capacity: room)
    if isChunked && !bytes.isEmpty {
      out.writeString(String(bytes.count, radix: 16))
      out.writeStaticString("\r\n")
      out.writeBytes(bytes)
      out.writeStaticString("\r\n")
    } else {
      out.writeBytes(bytes)
    }
    if end && isChunked { out.writeStaticString("0\r\n\r\n") }
    context.write(wrapOutboundOut(out), promise: promise)
  }

  private func write(_ text: StaticString) {
    guard let context else { return }
    var out = context.channel.allocator.buffer(capacity: text.utf8CodeUnitCount)
    out.writeStaticString(text)
    context.write(wrapOutboundOut(out), promise: nil)
  }

  func flush() { context?.flush() }

  func abort() {
    keepAlive = false
    isClosing = true
    closeWhenFlushed()
    // A peer that takes nothing more does not hold the connection.
    closeTimer?.set(.milliseconds(500))
  }

  /// The next request begins only here, when the system has taken the whole answer to the last: a peer that asks and asks and reads nothing
  /// does not fill our memory with answers.
  func exchangeEnded() {
    exchange = nil
    // A peer that has gone takes nothing of what it asked for besides: no write of it is begun.
    guard !isClosing, context?.channel.isActive ?? false else { return }
    guard keepAlive, !connection.isDraining, requestIsComplete else { return closeSoon() }
    idleTimer?.set(configuration.idleTimeout)
    while exchange == nil, !isClosing, let event = queue.popFirst() { handle(event) }
    while exchange != nil, !requestIsComplete, let event = queue.popFirst() { handle(event) }
    if queue.isEmpty, readIsHeld {
      readIsHeld = false
      context?.read()
    }
  }

  /// Closes when the peer has had the answer. Closing while bytes of the request still come in would make the kernel send a reset, and the
  /// peer might lose the answer: so they are thrown away for a moment.
  private func closeSoon() {
    isClosing = true
    idleTimer?.clear()
    headerTimer?.clear()
    queue.removeAll()
    guard let context, !requestIsComplete else {
      closeTimer?.set(configuration.stallTimeout)
      return closeWhenFlushed()
    }
    closeTimer?.set(.milliseconds(500))
    if readIsHeld {
      readIsHeld = false
      context.read()
    }
  }

  private func closeWhenFlushed() {
    guard let context else { return }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in bound.value.close(promise: nil) }
  }
}

/// Sits before the decoder and tells the handler that a request may be beginning, which the decoder says only at the end of the header.
/// Keeps from the decoder what nobody will read.
final class HTTP1ByteMonitor: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let handler: HTTP1Handler

  init(handler: HTTP1Handler) { self.handler = handler }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let count = unwrapInboundIn(data).readableBytes
    guard handler.bytesArrived(count) else { return }
    context.fireChannelRead(data)
    handler.bytesDecoded(count)
  }
}
