import HTTPMessage
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOSSL

/// Builds the pipeline of an accepted connection: TLS, then what ALPN chose.
struct ConnectionSetup: Sendable {
  let core: ServerCore
  let tools: [ObjectIdentifier: LoopTools]
  let gate: AcceptGate

  func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      guard let tools = tools[ObjectIdentifier(channel.eventLoop)] else { throw ChannelError.operationUnsupported }
      let connection = Connection(core: core, tools: tools, channel: channel)
      core.add(connection)
      gate.opened()
      let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
      channel.closeFuture.whenComplete { [core, gate] _ in
        core.remove(bound.value)
        gate.closed()
      }
      guard let tls = core.configuration.tls?.current else { return try configureHTTP1(connection) }
      try configureTLS(connection, tls)
    }
  }

  private func configureTLS(_ connection: Connection, _ tls: TLSMaterial.Snapshot) throws {
    let pipeline = connection.channel.pipeline.syncOperations
    let bound = NIOLoopBound(connection, eventLoop: connection.loop)
    let handler =
      tls.asksForCertificates
      ? NIOSSLServerHandler(
        context: tls.context,
        customVerificationCallback: { chain, promise in
          // A certificate that nobody vouches for is no reason to hang up: authentication decides.
          bound.value.isVerified = true
          bound.value.identify(chain.compactMap { try? $0.toDERBytes() }, by: tls)
          promise.succeed(.certificateVerified)
        }, configuration: .init())
      : NIOSSLServerHandler(context: tls.context)
    try pipeline.addHandler(handler)
    gate.handshakeBegan()
    let handshake = Handshake(connection: connection, setup: self, tls: tls)
    try pipeline.addHandler(handshake)
  }

  func configureHTTP1(_ connection: Connection) throws {
    let pipeline = connection.channel.pipeline.syncOperations
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderListSize = core.configuration.maximumHeaderBytes
    limits.maxHeaderFieldSize = core.configuration.maximumHeaderBytes
    limits.maxHeaderFieldCount = 1_000
    let handler = HTTP1Handler(connection: connection)
    try pipeline.addHandler(FlushGate(wakes: connection.tools.wakes))
    try pipeline.addHandler(HTTP1ByteMonitor(handler: handler))
    try pipeline.addHandler(
      ByteToMessageHandler(
        HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop, limitConfiguration: limits)))
    try pipeline.addHandler(handler)
  }

  func configureHTTP2(_ connection: Connection) throws {
    let pipeline = connection.channel.pipeline.syncOperations
    let configuration = core.configuration
    var settings = NIOHTTP2Handler.ConnectionConfiguration()
    settings.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: configuration.maximumConcurrentStreams),
      HTTP2Setting(parameter: .maxHeaderListSize, value: configuration.maximumHeaderBytes),
      HTTP2Setting(parameter: .initialWindowSize, value: configuration.streamWindow),
    ]
    settings.targetWindowSize = configuration.connectionWindow
    // Counted over the connection's whole life, which is long here; `streamErrorRateLimit` (200 in 30 s) is the limit that matters.
    settings.maximumConnectionGlitches = 10_000
    var streams = NIOHTTP2Handler.StreamConfiguration()
    streams.targetWindowSize = configuration.streamWindow
    streams.outboundBufferSizeHighWatermark = 256 * 1024
    streams.outboundBufferSizeLowWatermark = 64 * 1024
    streams.streamResetFrameRateLimit.maximumCount = configuration.maximumStreamResets
    let handler = HTTP2ConnectionHandler(connection: connection)
    let bound = NIOLoopBound((connection, handler), eventLoop: connection.loop)
    try pipeline.addHandler(FlushGate(wakes: connection.tools.wakes))
    _ = try pipeline.configureHTTP2Pipeline(
      mode: .server, connectionConfiguration: settings, streamConfiguration: streams,
      streamDelegate: HTTP2StreamObserver(handler: NIOLoopBound(handler, eventLoop: connection.loop))
    ) { stream in
      stream.eventLoop.makeCompletedFuture {
        let (connection, handler) = bound.value
        try stream.pipeline.syncOperations.addHandler(HTTP2StreamHandler(connection: connection, connectionHandler: handler))
      }
    }
    try pipeline.addHandler(handler)
  }
}
