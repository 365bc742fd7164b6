import HTTPMessage
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPServer

/// How long an answer may lie with a peer that takes little or nothing of it, on a clock that the test moves.
@Suite struct ExchangeTests {
  /// Gives the peer what the test says.
  private final class HeldWire: ExchangeWire {
    var isWritable = true
    private(set) var written = 0
    private(set) var aborts = 0
    private(set) var hasEnded = false
    private var waiting: [EventLoopPromise<Void>] = []

    var held: Int { waiting.count }

    func writeHead(status: Int, headers: HTTPMessage.HTTPHeaders, length: Int?, end: Bool, promise: EventLoopPromise<Void>?) {
      if let promise { waiting.append(promise) }
    }

    func writeBody(_ bytes: ArraySlice<UInt8>, end: Bool, promise: EventLoopPromise<Void>?) {
      written += bytes.count
      if let promise { waiting.append(promise) }
    }

    func flush() {}
    func abort() { aborts += 1 }
    func exchangeEnded() { hasEnded = true }

    /// What was written first.
    func take(_ count: Int = .max) {
      for _ in 0..<min(count, waiting.count) { waiting.removeFirst().succeed() }
    }

    /// The peer has gone.
    func drop() {
      for promise in waiting { promise.fail(ChannelError.ioOnClosedChannel) }
      waiting = []
    }
  }

  private struct Scene {
    let channel = EmbeddedChannel()
    let wire = HeldWire()
    let connection: Connection
    let exchange: Exchange

    init() {
      let core = ServerCore(
        configuration: HTTPServerConfiguration(), responder: TestResponder(),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      connection = Connection(core: core, tools: LoopTools(loop: channel.eventLoop), channel: channel)
      exchange = Exchange(connection: connection, wire: wire, request: HTTPRequest(method: "GET", path: "/"))
    }

    func pass(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

    func answer(_ count: Int) { exchange.answer(HTTPResponse(status: 200, body: .bytes([UInt8](repeating: 120, count: count)))) }
  }

  @Test(arguments: [0, 1, 50_000, 200_000, 5_000_000]) func anAnswerOfWhichNothingIsTakenIsBrokenOff(_ count: Int) {
    let scene = Scene()
    scene.answer(count)
    scene.pass(299)
    #expect(scene.wire.aborts == 0 && !scene.wire.hasEnded)
    scene.pass(1)
    #expect(scene.wire.aborts == 1 && scene.wire.hasEnded && scene.exchange.hasEnded)
    scene.wire.drop()
    scene.pass(1_000)
    #expect(scene.wire.aborts == 1)
  }

  @Test func anAnswerEndsWhenTheLastOfItIsTaken() {
    let scene = Scene()
    scene.answer(100_000)
    #expect(scene.wire.held == 2)
    scene.wire.take(1)
    #expect(!scene.wire.hasEnded)
    scene.wire.take()
    #expect(scene.wire.hasEnded && scene.exchange.hasEnded)
    scene.pass(1_000)
    #expect(scene.wire.aborts == 0)
  }

  @Test func aReaderThatGoesOnIsNotCut() {
    let scene = Scene()
    scene.answer(256 * 1024)
    #expect(scene.wire.held == 4)
    for _ in 0..<3 {
      scene.pass(290)
      scene.wire.take(1)
      #expect(scene.wire.aborts == 0 && !scene.wire.hasEnded)
    }
    scene.pass(290)
    scene.wire.take()
    #expect(scene.wire.hasEnded && scene.wire.aborts == 0)
  }

  @Test func aLongAnswerIsHandedOverAsItIsTaken() {
    let scene = Scene()
    scene.wire.isWritable = false
    scene.answer(1_000_000)
    #expect(scene.wire.written == 0)
    scene.pass(200)
    scene.wire.isWritable = true
    scene.exchange.pump()
    #expect(scene.wire.written == 1_000_000)
    // The time has begun anew.
    scene.pass(299)
    #expect(scene.wire.aborts == 0)
    scene.wire.take()
    #expect(scene.wire.hasEnded && scene.wire.aborts == 0)
  }

  @Test func aWatchMayBeIdleButMustBeTaken() {
    let scene = Scene()
    let stream = FedStream()
    scene.exchange.answer(HTTPResponse(status: 200, body: .stream(stream)))
    scene.wire.take()
    scene.pass(100_000)
    #expect(scene.wire.aborts == 0 && !stream.isCancelled)
    // Others of the connection's streams were in its way for a while.
    for isWritable in [false, true] {
      scene.wire.isWritable = isWritable
      scene.exchange.pump()
      scene.pass(200)
    }
    scene.pass(100_000)
    #expect(scene.wire.aborts == 0 && !stream.isCancelled)
    stream.feed(.bytes([65]))
    scene.pass(200)
    #expect(scene.wire.written == 1)
    stream.feed(.bytes([66]))
    scene.pass(101)
    #expect(stream.isCancelled && scene.wire.aborts == 1 && scene.wire.hasEnded)
    scene.wire.drop()
  }

  @Test func aPeerThatGoesIsLetGo() {
    let scene = Scene()
    scene.answer(1_000)
    scene.exchange.gone()
    scene.wire.drop()
    scene.pass(1_000)
    #expect(scene.exchange.hasEnded && !scene.wire.hasEnded && scene.wire.aborts == 0)
  }
}
