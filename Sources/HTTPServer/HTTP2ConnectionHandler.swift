import HTTPMessage
import Logging
import NIOCore
import NIOHTTP2

/// Watches over one HTTP/2 connection: idle time, resets, and the goodbye. Sits after NIOHTTP2Handler.
final class HTTP2ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  private enum Goodbye {
    case none
    /// GOAWAY without a last stream was sent, and a PING behind it: when that is answered, no stream can be on its way to us any more.
    case announced
    /// GOAWAY with the last stream was sent: closes when no stream is open.
    case final
    case closing
  }

  private let connection: Connection
  private var context: ChannelHandlerContext?
  private var openStreams = 0
  private var lastStream = HTTP2StreamID.rootStream
  private var goodbye = Goodbye.none
  private var idleTimer: LazyTimer?
  private var goodbyeTimer: LazyTimer?
  private var resets: ResetAccount

  private static let pingData = HTTP2PingData(withInteger: 0x676F_6F64_6279_6521)

  init(connection: Connection) {
    self.connection = connection
    resets = ResetAccount(maximumUnanswered: connection.core.configuration.maximumUnansweredResets)
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    let loop = context.eventLoop
    idleTimer = LazyTimer(loop: loop) { [weak self] in
      guard let self, openStreams == 0 else { return }
      connection.drain()
    }
    goodbyeTimer = LazyTimer(loop: loop) { [weak self] in
      guard let self else { return }
      if case .closing = goodbye { connection.close() } else { sayFinal() }
    }
    idleTimer?.set(connection.core.configuration.idleTimeout)
    connection.onDrain = { [weak self] in self?.announce() }
    if connection.core.isDraining { connection.drain() }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    idleTimer?.cancel()
    goodbyeTimer?.cancel()
    (idleTimer, goodbyeTimer) = (nil, nil)
    context = nil
    connection.onDrain = nil
  }

  // MARK: Streams

  func streamOpened(_ id: HTTP2StreamID) {
    openStreams += 1
    lastStream = max(lastStream, id)
    resets.opened(at: .now())
  }

  func streamClosed(_ id: HTTP2StreamID) {
    openStreams -= 1
    guard openStreams == 0 else { return }
    idleTimer?.set(connection.core.configuration.idleTimeout)
    if case .final = goodbye { closeWhenFlushed() }
  }

  /// The peer took a request back before it had an answer.
  func unansweredReset() {
    guard resets.unanswered(at: .now()) else { return }
    connection.core.logger.warning("connection ended: too many requests taken back", metadata: ["peer": "\(connection.peer.address)"])
    sendGoAway(last: lastStream, error: .enhanceYourCalm)
    goodbye = .final
    closeWhenFlushed()
  }

  // MARK: Goodbye

  private func announce() {
    guard case .none = goodbye, let context else { return }
    goodbye = .announced
    sendGoAway(last: .maxID, error: .noError)
    context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: .ping(Self.pingData, ack: false))), promise: nil)
    // A peer that answers no PING does not hold us up.
    goodbyeTimer?.set(.seconds(1))
  }

  private func sayFinal() {
    guard case .announced = goodbye else { return }
    goodbye = .final
    goodbyeTimer?.clear()
    sendGoAway(last: lastStream, error: .noError)
    if openStreams == 0 { closeWhenFlushed() }
  }

  private func sendGoAway(last: HTTP2StreamID, error: HTTP2ErrorCode) {
    let payload = HTTP2Frame.FramePayload.goAway(lastStreamID: last, errorCode: error, opaqueData: nil)
    context?.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
  }

  /// Closing drops what is not yet written, the last frames of the last stream for instance. A PING goes out behind them; when it has reached
  /// the socket, so have they.
  private func closeWhenFlushed() {
    guard case .final = goodbye, let context else { return }
    goodbye = .closing
    // A peer that takes nothing would otherwise keep the connection for ever.
    goodbyeTimer?.set(connection.core.configuration.stallTimeout)
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: .ping(Self.pingData, ack: false)))).whenComplete { _ in
      bound.value.connection.close()
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .ping(Self.pingData, ack: true) = unwrapInboundIn(data).payload { sayFinal() }
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !Self.concernsOneStream(error) else { return }
    connection.core.logger.debug("connection failed", metadata: ["peer": "\(connection.peer.address)", "error": "\(error)"])
    context.close(promise: nil)
  }

  /// NIOHTTP2 has already reset the stream; the others go on. Everything else has already been answered with GOAWAY.
  private static func concernsOneStream(_ error: any Error) -> Bool {
    switch error {
    case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.StreamClosed, is NIOHTTP2Errors.NoSuchStream: true
    case is NIOHTTP2Errors.ContentLengthViolated, is NIOHTTP2Errors.ContentLengthHeadersMismatch: true
    case is NIOHTTP2Errors.ContentLengthHeaderNegative, is NIOHTTP2Errors.ContentLengthHeaderMalformedValue: true
    case is NIOHTTP2Errors.ForbiddenHeaderField, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldName: true
    case is NIOHTTP2Errors.MissingPseudoHeader, is NIOHTTP2Errors.DuplicatePseudoHeader, is NIOHTTP2Errors.PseudoHeaderAfterRegularHeader:
      true
    case is NIOHTTP2Errors.UnknownPseudoHeader, is NIOHTTP2Errors.InvalidPseudoHeaders, is NIOHTTP2Errors.EmptyPathHeader: true
    case is NIOHTTP2Errors.TrailersWithoutEndStream, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldValue: true
    case is NIOHTTP2Errors.InvalidPseudoHeaderValue, is NIOHTTP2Errors.UnsupportedPseudoHeader: true
    default: false
    }
  }
}

/// Tells the connection's handler of streams.
struct HTTP2StreamObserver: NIOHTTP2StreamDelegate {
  let handler: NIOLoopBound<HTTP2ConnectionHandler>

  func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { handler.value.streamOpened(id) }
  func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { handler.value.streamClosed(id) }
}
