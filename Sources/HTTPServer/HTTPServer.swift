import Glibc
package import HTTPMessage
package import Logging
import NIOCore
import NIOPosix
import Synchronization

/// An HTTP/1.1 and HTTP/2 server over one port. It knows nothing of what it serves: the responder answers every well-formed request.
package final class HTTPServer: Sendable {
  private enum State {
    case idle
    case running(Running)
    case stopped
  }

  private struct Running {
    let group: MultiThreadedEventLoopGroup
    let listener: any Channel
    let reloads: RepeatedTask?
  }

  private let core: ServerCore
  private let state = Mutex(State.idle)

  package init(configuration: HTTPServerConfiguration, responder: any HTTPResponder, logger: Logger) {
    core = ServerCore(configuration: configuration, responder: responder, logger: logger)
  }

  package var openConnections: Int { core.connectionCount }
  /// Bytes that the headers and bodies of requests hold that have not come whole yet, or are strangers' and not answered.
  package var unfinishedBytes: Int { core.budget.held }
  /// TLS handshakes that failed or were not finished in time, since the start.
  package var handshakeErrors: Int { core.handshakeErrors.load(ordering: .relaxed) }

  /// Listens. Throws what the system says when the address cannot be had. To be called once.
  package func start() async throws -> BoundAddress {
    let configuration = core.configuration
    let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads ?? System.coreCount)
    var tools: [ObjectIdentifier: LoopTools] = [:]
    for loop in group.makeIterator() { tools[ObjectIdentifier(loop)] = LoopTools(loop: loop) }
    let gate = AcceptGate(maximumConnections: configuration.maximumConnections, maximumHandshakes: configuration.maximumHandshakes)
    let setup = ConnectionSetup(core: core, tools: tools, gate: gate)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptGate.Handler(gate)) }
      }
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      // A peer that vanished without a word is noticed within a minute and a half, also behind an idle watch.
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(.tcpOption(.init(rawValue: CInt(TCP_KEEPIDLE))), value: 15)
      .childChannelOption(.tcpOption(.init(rawValue: CInt(TCP_KEEPINTVL))), value: 15)
      .childChannelOption(.tcpOption(.init(rawValue: CInt(TCP_KEEPCNT))), value: 5)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
      .childChannelInitializer { setup.accept($0) }
    do {
      let listener = try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
      let running = Running(group: group, listener: listener, reloads: scheduleReloads(on: group.next()))
      state.withLock { $0 = .running(running) }
      return BoundAddress(
        address: listener.localAddress?.ipAddress ?? configuration.host, port: listener.localAddress?.port ?? configuration.port)
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  /// Accepts no more, lets watches and requests in progress end, and after `grace` cuts what is left. Returns when all is closed, at the
  /// latest a few seconds after `grace`. Calling it again does nothing.
  package func shutdown(grace: Duration) async {
    let running = state.withLock { state -> Running? in
      guard case .running(let running) = state else { return nil }
      state = .stopped
      return running
    }
    guard let running else { return }
    running.reloads?.cancel()
    try? await running.listener.close().get()
    let loop = running.group.next()
    await wait(for: grace, on: loop) { core.drain(emptied: $0) }
    if core.connectionCount > 0 {
      core.logger.notice("connections cut at shutdown", metadata: ["count": "\(core.connectionCount)"])
      await wait(for: .seconds(3), on: loop) { emptied in
        core.drain(emptied: emptied)
        core.cut()
      }
    }
    // A responder that does not heed its cancellation may still want its loop; then the threads stay.
    for _ in 0..<100 where core.responding.load(ordering: .relaxed) > 0 { try? await Task.sleep(for: .milliseconds(20)) }
    guard core.responding.load(ordering: .relaxed) == 0 else {
      return core.logger.warning("responders still running after shutdown")
    }
    try? await running.group.shutdownGracefully()
  }

  private func wait(for duration: Duration, on loop: any EventLoop, _ begin: (EventLoopPromise<Void>) -> Void) async {
    let emptied = loop.makePromise(of: Void.self)
    let timeout = loop.scheduleTask(in: TimeAmount(duration)) { emptied.succeed() }
    begin(emptied)
    try? await emptied.futureResult.get()
    timeout.cancel()
  }

  private func scheduleReloads(on loop: any EventLoop) -> RepeatedTask? {
    guard let tls = core.configuration.tls else { return nil }
    let interval = TimeAmount(core.configuration.reloadInterval)
    return loop.scheduleRepeatedAsyncTask(initialDelay: interval, delay: interval) { _ in
      NIOThreadPool.singleton.runIfActive(eventLoop: loop) { _ = tls.reload() }
    }
  }
}
