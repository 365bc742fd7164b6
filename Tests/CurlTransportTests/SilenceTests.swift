import AdapterKit
import CurlTransport
import Glibc
import Synchronization
import TestSupport
import Testing

/// Connections that are open and carry nothing any more.
@Suite(.timeLimit(.minutes(10)))
struct SilenceTests {
  /// HTTP/2 of nghttp2's server, behind a proxy.
  private struct Server {
    let folder: TemporaryFolder
    let program: ChildProgram
    let proxy: TCPProxy
    let transport: CurlTransport
    var url: String { "https://127.0.0.1:\(proxy.port)" }

    init() async throws {
      folder = try TemporaryFolder()
      let certificates = try TestCertificates(in: folder)
      let port = try Sockets.freePort()
      try folder.write("hello", to: "hello")
      try folder.write("", to: "large")
      truncate(folder.path + "/large", 200 << 20)
      program = try ChildProgram("nghttpd", ["-d", folder.path, "\(port)", certificates.keyFile, certificates.certificateFile])
      proxy = try TCPProxy(to: port)
      transport = CurlTransport(CurlConfiguration(caFile: certificates.caFile, silence: .milliseconds(300)))
      for _ in 0..<12_000 {
        if let socket = try? Sockets.connectOnLoopback(to: port) {
          close(socket)
          return
        }
        try await Task.sleep(for: .milliseconds(10))
      }
    }

    func get(_ path: String, timeout: Duration = .seconds(120)) async throws -> TransportResponse {
      try await transport.send(TransportRequest(method: "GET", url: url + path, timeout: timeout))
    }

    func stop() {
      transport.shutdown()
      proxy.stop()
      program.stop()
      folder.remove()
    }
  }

  private static let hasServer = ChildProgram.find("nghttpd") != nil && ChildProgram.find("openssl") != nil

  @Test(.enabled(if: hasServer, "nghttpd (nghttp2-server) is not installed"))
  func aSharedConnectionThatHasGoneSilentCostsTheRequestsThatAreOnIt() async throws {
    let server = try await Server()
    defer { server.stop() }
    for _ in 0..<3 { #expect(try await server.get("/hello").status == 200) }
    #expect(server.proxy.connections == 1)
    server.proxy.goSilent()
    #expect(await failure { try await server.get("/hello", timeout: .milliseconds(500)) }?.code == .timeout)
    for _ in 0..<3 { #expect(try await server.get("/hello").status == 200) }
    #expect(server.proxy.connections == 2)
    // And once more: the new one is no better.
    server.proxy.goSilent()
    #expect(await failure { try await server.get("/hello", timeout: .milliseconds(500)) }?.code == .timeout)
    #expect(try await server.get("/hello").status == 200)
    #expect(server.proxy.connections == 3)
  }

  @Test(.enabled(if: hasServer, "nghttpd (nghttp2-server) is not installed"))
  func streamsOnItEnd() async throws {
    let server = try await Server()
    defer { server.stop() }
    let stream = try await server.transport.stream(TransportRequest(method: "GET", url: server.url + "/large", maximumResponseBytes: .max))
    #expect(try await stream.next() != nil)
    server.proxy.goSilent()
    // Somebody always wants something. What was on the way comes yet; then nothing does.
    let asking = Task {
      while !Task.isCancelled {
        _ = await failure { try await server.get("/hello", timeout: .milliseconds(500)) }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    defer { asking.cancel() }
    let error = await failure { while try await stream.next() != nil {} }
    #expect(error?.code == .broken && error?.message == "the connection to 127.0.0.1:\(server.proxy.port) has been silent for too long")
  }

  /// Slow is not silent: as long as something comes, a request without an answer says nothing of the connection.
  @Test func aSlowRequestLeavesTheOthersAlone() async throws {
    let engine = try StubEngine { request in
      if request.path == "/never" { return .silence }
      return .chunks { number in
        usleep(50_000)
        return number < 60 ? [1] : nil
      }
    }
    defer { engine.stop() }
    let transport = CurlTransport(CurlConfiguration(silence: .seconds(1)))
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/"))
    #expect(
      await failure {
        try await transport.send(TransportRequest(method: "GET", url: engine.url + "/never", timeout: .milliseconds(1_500)))
      }?
      .code == .timeout)
    var total = 0
    while let piece = try await stream.next() { total += piece.count }
    #expect(total == 60)
  }

  @Test func whatThePeerDoesNotAcknowledgeEndsTheConnection() async throws {
    let gate = Gate()
    let engine = try StubEngine { _ in
      .chunks { number in
        if number == 1 { gate.wait() }
        return number == 0 ? [1] : nil
      }
    }
    defer {
      gate.open()
      engine.stop()
    }
    let port = try #require(Int(engine.url.split(separator: ":").last ?? ""))
    let transport = CurlTransport(CurlConfiguration(silence: .seconds(42)))
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/"))
    _ = try await stream.next()
    // The sockets of this process whose peer is the engine: there is one.
    let timeouts = (Int32(3)..<4096).compactMap { socket -> UInt32? in
      var address = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isPeer = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket, $0, &length) } == 0
      }
      guard isPeer, address.sin_family == sa_family_t(AF_INET), UInt16(bigEndian: address.sin_port) == UInt16(port) else { return nil }
      var milliseconds: UInt32 = 0
      var size = socklen_t(MemoryLayout<UInt32>.size)
      return getsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, &size) == 0 ? milliseconds : nil
    }
    #expect(timeouts == [42_000])
  }

  @Test func withoutALimitEachRequestHasAConnectionAtOnce() async throws {
    let count = 40
    let arrived = Atomic(0)
    let gate = Gate()
    let engine = try StubEngine { _ in
      if arrived.add(1, ordering: .relaxed).newValue == count { for _ in 0..<count { gate.open() } }
      gate.wait()
      return StubAnswer(200, text: "")
    }
    defer { engine.stop() }
    let transport = CurlTransport(CurlConfiguration(maxConnectionsPerHost: 0))
    defer { transport.shutdown() }
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<count {
        group.addTask { try await transport.send(TransportRequest(method: "GET", url: engine.url + "/", timeout: .seconds(120))).status }
      }
      for try await status in group { #expect(status == 200) }
    }
    #expect(engine.connections == count)
  }

  /// A server that would rather speak HTTP/2 is not asked to.
  @Test(.enabled(if: ChildProgram.find("openssl") != nil, "openssl is not installed"))
  func onlyHTTP1WhereThatIsWanted() async throws {
    let server = try TLSServer(protocols: "h2,http/1.1")
    defer { server.stop() }
    let url = "https://127.0.0.1:\(server.port)/"
    let transport = CurlTransport(CurlConfiguration(caFile: server.caFile, isHTTP1Only: true))
    defer { transport.shutdown() }
    #expect(try await transport.send(TransportRequest(method: "GET", url: url)).status == 200)
    // Who asks for it gets it, and then the server cannot speak it.
    let other = CurlTransport(CurlConfiguration(caFile: server.caFile))
    defer { other.shutdown() }
    #expect(await failure { try await other.send(TransportRequest(method: "GET", url: url, timeout: .seconds(1))) } != nil)
  }
}
