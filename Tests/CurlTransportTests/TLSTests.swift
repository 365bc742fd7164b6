import AdapterKit
import CurlTransport
import Foundation
import TestSupport
import Testing

/// Against `openssl s_server`, with certificates made by the `openssl` command.
@Suite(.timeLimit(.minutes(10)), .serialized, .enabled(if: ChildProgram.find("openssl") != nil, "the openssl command is not installed"))
struct TLSTests {
  @Test func ownAuthority() async throws {
    let server = try TLSServer()
    defer { server.stop() }
    let trusted = CurlTransport(CurlConfiguration(caFile: server.caFile))
    defer { trusted.shutdown() }
    let answer = try await trusted.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/"))
    #expect(answer.status == 200)

    let system = CurlTransport()
    defer { system.shutdown() }
    let error = await failure { try await system.send(TransportRequest(method: "POST", url: "https://127.0.0.1:\(server.port)/")) }
    #expect(error?.code == .tls)
    #expect(error?.mayHaveBeenSent == false)

    let careless = CurlTransport(CurlConfiguration(insecureSkipVerify: true))
    defer { careless.shutdown() }
    #expect(try await careless.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")).status == 200)
  }

  @Test func theNameMustFit() async throws {
    let server = try TLSServer(subject: "IP:127.0.0.9")
    defer { server.stop() }
    let transport = CurlTransport(CurlConfiguration(caFile: server.caFile))
    defer { transport.shutdown() }
    let error = await failure { try await transport.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")) }
    #expect(error?.code == .tls)
  }

  @Test func clientCertificate() async throws {
    let server = try TLSServer(wantsClientCertificate: true)
    defer { server.stop() }
    let known = CurlTransport(
      CurlConfiguration(caFile: server.caFile, clientCertificateFile: server.certificateFile, clientKeyFile: server.keyFile))
    defer { known.shutdown() }
    #expect(try await known.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")).status == 200)
    let unknown = CurlTransport(CurlConfiguration(caFile: server.caFile))
    defer { unknown.shutdown() }
    #expect(await failure { try await unknown.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")) } != nil)
  }

  @Test func everythingInMemory() async throws {
    let server = try TLSServer(wantsClientCertificate: true)
    defer { server.stop() }
    func bytes(_ file: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: file))) }
    let known = CurlTransport(
      CurlConfiguration(
        caPEM: try bytes(server.caFile), clientCertificatePEM: try bytes(server.certificateFile), clientKeyPEM: try bytes(server.keyFile)))
    defer { known.shutdown() }
    #expect(try await known.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")).status == 200)

    // Only that CA: not the system's beside it, and not none.
    let stranger = try TemporaryFolder()
    defer { stranger.remove() }
    let other = try TestCertificates(in: stranger)
    let wrong = CurlTransport(CurlConfiguration(caPEM: try bytes(other.caFile)))
    defer { wrong.shutdown() }
    #expect(await failure { try await wrong.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")) }?.code == .tls)
  }

  @Test func anotherServerName() async throws {
    let server = try TLSServer(subject: "DNS:kubernetes.default.svc")
    defer { server.stop() }
    let url = "https://127.0.0.1:\(server.port)/"
    let named = CurlTransport(CurlConfiguration(caFile: server.caFile, tlsServerName: "kubernetes.default.svc"))
    defer { named.shutdown() }
    #expect(try await named.send(TransportRequest(method: "GET", url: url)).status == 200)

    let misnamed = CurlTransport(CurlConfiguration(caFile: server.caFile, tlsServerName: "kubernetes.example"))
    defer { misnamed.shutdown() }
    #expect(await failure { try await misnamed.send(TransportRequest(method: "GET", url: url)) }?.code == .tls)
  }

  /// As a webhook is called by its Service: its name is asked for and verified, its address connected to.
  @Test func aNameWithAGivenAddress() async throws {
    let server = try TLSServer(subject: "DNS:hook.policy.svc")
    defer { server.stop() }
    let transport = CurlTransport(CurlConfiguration(caFile: server.caFile, connectTo: "127.0.0.1:\(server.port)"))
    defer { transport.shutdown() }
    #expect(try await transport.send(TransportRequest(method: "GET", url: "https://hook.policy.svc:443/validate")).status == 200)
    #expect(await failure { try await transport.send(TransportRequest(method: "GET", url: "https://other.policy.svc/")) }?.code == .tls)
  }

  @Test func aMissingAuthorityFileIsSaid() async throws {
    let transport = CurlTransport(CurlConfiguration(caFile: "/nonexistent/ca.pem"))
    defer { transport.shutdown() }
    let server = try TLSServer()
    defer { server.stop() }
    let error = await failure { try await transport.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(server.port)/")) }
    #expect(error?.code == .tls)
    #expect(error?.message.contains("/nonexistent/ca.pem") == true)
  }
}

/// HTTP/2 against nghttp2's server.
@Suite(
  .timeLimit(.minutes(10)),
  .enabled(if: ChildProgram.find("nghttpd") != nil && ChildProgram.find("openssl") != nil, "nghttpd (nghttp2-server) is not installed"))
struct HTTP2Tests {
  @Test func manyRequestsShareOneConnection() async throws {
    let folder = try TemporaryFolder()
    let certificates = try TestCertificates(in: folder)
    let port = try Sockets.freePort()
    try folder.write("hello", to: "hello")
    let server = try ChildProgram("nghttpd", ["-v", "-d", folder.path, "\(port)", certificates.keyFile, certificates.certificateFile])
    defer {
      server.stop()
      folder.remove()
    }
    let transport = CurlTransport(CurlConfiguration(caFile: certificates.caFile))
    defer { transport.shutdown() }
    var first: TransportResponse?
    for _ in 0..<6_000 where first == nil {
      first = try? await transport.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(port)/hello"))
      if first == nil { try await Task.sleep(for: .milliseconds(20)) }
    }
    #expect(first?.body == Array("hello".utf8))
    // nghttpd takes 100 streams at once; with more, libcurl opens another connection.
    for _ in 0..<5 {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<60 {
          group.addTask { try await transport.send(TransportRequest(method: "GET", url: "https://127.0.0.1:\(port)/hello")).status }
        }
        for try await status in group { #expect(status == 200) }
      }
    }
    server.stop()
    // Each line begins with the connection's number: "[id=1] [  0.123] recv (stream_id=1) :path: /hello".
    let requests = server.output.split(separator: "\n").filter { $0.hasSuffix(":path: /hello") }
    #expect(requests.count == 301)
    #expect(Set(requests.map { $0.prefix { $0 != "]" } }).count == 1)
  }
}
