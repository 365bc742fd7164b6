import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// One HTTP/2 connection that a test has in hand, frame by frame.
final class H2Client: Sendable {
  private let channel: any Channel
  private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
  private let pings: PingCounter

  /// - Parameter window: of each stream that is read from, and that its reads do not open again; nil for the usual one.
  init(port: Int, window: Int? = nil) async throws {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.certificateVerification = .none
    tls.applicationProtocols = ["h2"]
    let context = try NIOSSLContext(configuration: tls)
    let pings = PingCounter()
    let (channel, multiplexer) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
          var connection = NIOHTTP2Handler.ConnectionConfiguration()
          // So that it can misbehave.
          connection.headerBlockValidation = .disabled
          connection.contentLengthValidation = .disabled
          var streams = NIOHTTP2Handler.StreamConfiguration()
          if let window {
            connection.initialSettings = [HTTP2Setting(parameter: .initialWindowSize, value: window)]
            streams.targetWindowSize = window
          }
          let multiplexer = try pipeline.configureHTTP2Pipeline(
            mode: .client, connectionConfiguration: connection, streamConfiguration: streams, inboundStreamInitializer: { $0.close() })
          try pipeline.addHandler(PingHandler(counter: pings))
          return (channel, multiplexer)
        }
      }
    (self.channel, self.multiplexer, self.pings) = (channel, multiplexer, pings)
  }

  var isOpen: Bool { channel.isActive }
  var pongs: Int { pings.count.load(ordering: .relaxed) }

  func close() async { try? await channel.close().get() }

  func open(_ path: String, method: String = "GET", extra: [(String, String)] = [], autoRead: Bool = true, end: Bool = true) async throws
    -> H2Stream
  {
    let stream = H2Stream()
    let headers = HPACKHeaders([(":method", method), (":path", path), (":scheme", "https"), (":authority", "localhost")] + extra)
    let promise = channel.eventLoop.makePromise(of: (any Channel).self)
    multiplexer.createStreamChannel(promise: promise) { channel in
      channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(StreamHandler(stream)) }
    }
    let channel = try await promise.futureResult.get()
    stream.channel.withLock { $0 = channel }
    if !autoRead { try await channel.setOption(.autoRead, value: false).get() }
    try await channel.writeAndFlush(HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: end))).get()
    return stream
  }

  func ping() {
    channel.writeAndFlush(HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 7), ack: false)), promise: nil)
  }

  final class PingCounter: Sendable {
    let count = Atomic<Int>(0)
  }

  private final class PingHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    let counter: PingCounter
    init(counter: PingCounter) { self.counter = counter }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      if case .ping(_, ack: true) = unwrapInboundIn(data).payload { counter.count.add(1, ordering: .relaxed) }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
  }

  private final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    let stream: H2Stream
    init(_ stream: H2Stream) { self.stream = stream }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let payload = unwrapInboundIn(data)
      stream.state.withLock { state in
        switch payload {
        case .headers(let block):
          state.status = block.headers.first(name: ":status")
          state.ended = state.ended || block.endStream
        case .data(let data):
          if case .byteBuffer(let bytes) = data.data {
            state.body += String(buffer: bytes)
            state.dataFrames += 1
          }
          state.ended = state.ended || data.endStream
        default: break
        }
      }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    func channelInactive(context: ChannelHandlerContext) { stream.state.withLock { $0.closed = true } }
  }
}

final class H2Stream: Sendable {
  struct State {
    var status: String?
    var body = ""
    var dataFrames = 0
    /// END_STREAM was seen.
    var ended = false
    var closed = false
  }
  fileprivate let state = Mutex(State())
  fileprivate let channel = Mutex<(any Channel)?>(nil)

  var now: State { state.withLock { $0 } }

  func reset() async {
    guard let channel = channel.withLock({ $0 }) else { return }
    try? await channel.writeAndFlush(HTTP2Frame.FramePayload.rstStream(.cancel)).get()
  }

  func send(_ text: String, end: Bool) async throws {
    guard let channel = channel.withLock({ $0 }) else { return }
    try await channel.writeAndFlush(HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer(string: text)), endStream: end))).get()
  }
}
