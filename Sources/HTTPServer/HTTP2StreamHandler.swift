import HTTPMessage
import NIOCore
import NIOHPACK
import NIOHTTP2

/// One HTTP/2 stream: one exchange, in frames. NIO's HTTP/1 codec would send END_STREAM in a DATA frame of its own, which makes libcurl
/// reset every stream that it has read to its announced end.
final class HTTP2StreamHandler: ChannelInboundHandler, ExchangeWire {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  private let connection: Connection
  private let connectionHandler: HTTP2ConnectionHandler
  private var context: ChannelHandlerContext?
  private var exchange: Exchange?
  private var requestIsComplete = false
  private var isAnswered = false
  /// For what still comes of a request that was answered before its end.
  private let hold: BudgetHold

  init(connection: Connection, connectionHandler: HTTP2ConnectionHandler) {
    self.connection = connection
    hold = BudgetHold(connection: connection)
    self.connectionHandler = connectionHandler
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { gone() }

  func channelInactive(context: ChannelHandlerContext) {
    gone()
    context.fireChannelInactive()
  }

  private func gone() {
    let exchange = self.exchange
    self.exchange = nil
    context = nil
    hold.release()
    guard let exchange, !exchange.hasEnded else { return }
    if !exchange.isAnswered { connectionHandler.unansweredReset() }
    exchange.gone()
  }

  // MARK: What comes in

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .headers(let block):
      if exchange == nil && !isAnswered { begin(block) } else if block.endStream { endOfRequest() }
    case .data(let data):
      if case .byteBuffer(let bytes) = data.data { exchange?.receive(bytes) }
      if data.endStream { endOfRequest() }
    default: break
    }
  }

  /// The connection's handler gets to know of the reset by `channelInactive`.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {}

  private func begin(_ block: HTTP2Frame.FramePayload.Headers) {
    // What was reset still costs us until its responder returns, but no longer counts as a concurrent stream to the peer.
    guard connection.responding < connection.core.configuration.maximumConcurrentStreams * 2 else {
      isAnswered = true
      context?.writeAndFlush(wrapOutboundOut(.rstStream(.refusedStream)), promise: nil)
      return
    }
    requestIsComplete = block.endStream
    var request = HTTPRequest(method: "", path: "/", peer: connection.currentPeer())
    var lines: [(name: String, value: String)] = []
    lines.reserveCapacity(block.headers.count)
    var target: RequestTarget?
    for (name, value, _) in block.headers {
      switch name {
      case ":method": request.method = value
      case ":path": target = RequestTarget(value)
      case ":authority": lines.append((name: "host", value: value))
      case _ where name.utf8.first == UInt8(ascii: ":"): break
      default: lines.append((name: name, value: value))
      }
    }
    request.headers = HTTPMessage.HTTPHeaders(lines)
    if let target { (request.path, request.query) = (target.path, target.query) }
    let length = request.headers["content-length"].flatMap { Int($0) }
    let exchange = Exchange(connection: connection, wire: self, request: request)
    self.exchange = exchange
    guard target != nil else { return exchange.answer(StatusBody.badRequest("the request target is no absolute path")) }
    guard exchange.admit() else { return }
    guard !block.endStream else { return exchange.receiveEnd() }
    _ = exchange.expectBody(length: length)
  }

  private func endOfRequest() {
    requestIsComplete = true
    exchange?.receiveEnd()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    exchange?.pump()
    context.fireChannelWritabilityChanged()
  }

  // MARK: What goes out

  var isWritable: Bool { context?.channel.isWritable ?? false }

  func writeHead(status: Int, headers: HTTPMessage.HTTPHeaders, length: Int?, end: Bool, promise: EventLoopPromise<Void>?) {
    guard let context else { return promise.fail() }
    isAnswered = true
    var block: [(String, String)] = []
    block.reserveCapacity(headers.lines.count + 3)
    block.append((":status", String(status)))
    for (name, value) in headers.lines where !HTTP1Head.isOurs(name) { block.append((name.lowercased(), HTTP1Head.cleaned(value))) }
    block.append(("date", connection.tools.date))
    if let length { block.append(("content-length", String(length))) }
    context.write(wrapOutboundOut(.headers(.init(headers: HPACKHeaders(block), endStream: end))), promise: promise)
  }

  func writeBody(_ bytes: ArraySlice<UInt8>, end: Bool, promise: EventLoopPromise<Void>?) {
    guard let context else { return promise.fail() }
    context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes)), endStream: end))), promise: promise)
  }

  func flush() { context?.flush() }

  func abort() {
    // A reset overtakes, and drops, what was not flushed.
    context?.flush()
    context?.writeAndFlush(wrapOutboundOut(.rstStream(.internalError)), promise: nil)
  }

  func exchangeEnded() {
    exchange = nil
    guard !requestIsComplete, let context else { return }
    // An answer before the end of the request: the rest of it is not wanted (RFC 9113 8.1). Nothing more is read, so the peer stalls when its
    // window is used up; the reset that tells it so comes later, since libcurl throws an answer away whose stream is reset while it sends.
    // Until then a window full of it waits in our memory; where there is no room for that, it is read and dropped, for a shorter time.
    let stalls = hold.take(connection.core.configuration.streamWindow)
    if stalls { _ = try? context.channel.syncOptions?.setOption(.autoRead, value: false) }
    context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(stalls ? 500 : 50)) { [weak self] in
      guard let self else { return }
      self.context?.writeAndFlush(self.wrapOutboundOut(.rstStream(.noError)), promise: nil)
    }
  }
}
