package import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

#if canImport(Glibc)
  internal import Glibc
#endif

/// A running engine: its event loop, its listening socket and its state.
package final class EngineServer: Sendable {
  /// The port that was taken; nil on a unix socket.
  package let port: Int?
  private let group: MultiThreadedEventLoopGroup
  private let listener: any Channel
  private let shell: NIOLoopBound<EngineShell>
  private let connections: NIOLoopBound<Connections>
  private let settings: EngineSettings

  /// Reads storage, listens and goes on with waiting jobs.
  /// - Throws: ``FileError`` for storage, or what the system says about the address.
  package static func start(_ settings: EngineSettings, logger: Logger) async throws -> EngineServer {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      let loop = group.next()
      let shell = try await loop.submit { NIOLoopBound(try EngineShell(settings: settings, loop: loop, logger: logger), eventLoop: loop) }
        .get()
      let connections = try await loop.submit { NIOLoopBound(Connections(), eventLoop: loop) }.get()
      let bootstrap = ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 256)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            connections.value.add(channel)
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: false)
            try channel.pipeline.syncOperations.addHandler(HTTPConnection(shell: shell.value))
          }
        }
      let listener: any Channel
      switch settings.address {
      case .loopback(let host, let port):
        listener =
          try await bootstrap
          .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
          .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
          .bind(host: host, port: port).get()
      case .unixSocket(let path):
        try Self.clearSocket(path)
        let mask = umask(0o177)
        defer { umask(mask) }
        listener = try await bootstrap.bind(unixDomainSocketPath: path).get()
      }
      let server = EngineServer(group: group, listener: listener, shell: shell, connections: connections, settings: settings)
      try await loop.submit {
        if case .loopback(let host, _) = settings.address, let port = listener.localAddress?.port {
          shell.value.pages = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        }
        shell.value.start()
      }.get()
      return server
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  private init(
    group: MultiThreadedEventLoopGroup, listener: any Channel, shell: NIOLoopBound<EngineShell>, connections: NIOLoopBound<Connections>,
    settings: EngineSettings
  ) {
    self.group = group
    self.listener = listener
    self.shell = shell
    self.connections = connections
    self.settings = settings
    port = listener.localAddress?.port
  }

  /// Takes no more connections, ends the running steps (SIGTERM, after `grace` SIGKILL), stores how they ended, and closes.
  package func stop(grace: Duration = .seconds(3)) async {
    try? await listener.close()
    if case .unixSocket(let path) = settings.address { unlink(path) }
    let loop = group.next()
    try? await loop.submit { [shell] in shell.value.stop(grace: grace) }.get()
    let clock = ContinuousClock()
    let deadline = clock.now + grace + .seconds(3)
    while clock.now < deadline {
      let left = (try? await loop.submit { [shell] in shell.value.processes.count }.get()) ?? 0
      if left == 0 { break }
      try? await Task.sleep(for: .milliseconds(20))
    }
    try? await loop.submit { [connections, shell] in
      connections.value.closeAll()
      shell.value.close()
    }.get()
    try? await group.shutdownGracefully()
  }

  /// Removes what an engine that was killed left at the path. - Throws: ``FileError`` when another engine listens there.
  private static func clearSocket(_ path: String) throws(FileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw FileError("cannot listen at \(path): a file is there") }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw FileError("the socket's path \(path) is too long") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(probe) }
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    if connected == 0 { throw FileError("another engine listens at \(path)") }
    unlink(path)
  }
}

/// Open connections, to be closed at the end.
private final class Connections {
  private var channels: [ObjectIdentifier: any Channel] = [:]

  func add(_ channel: any Channel) {
    channels[ObjectIdentifier(channel)] = channel
    channel.closeFuture.assumeIsolated().whenComplete { [self] _ in channels[ObjectIdentifier(channel)] = nil }
  }

  func closeAll() { for channel in channels.values { channel.close(promise: nil) } }
}
