import Certificates
import Foundation
import HTTPMessage
import HTTPServer
import Testing

/// What unfinished requests may hold, by whom, and that it is given back once.
@Suite(.serialized) struct RequestBudgetTests {
  private static let tooMany = #""reason":"TooManyRequests","details":{"retryAfterSeconds":1},"code":429}"#

  private func post(_ length: Int) -> String { "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n" }

  @Test func bodiesThatDoNotEndAreBoundedTogether() async throws {
    let fixture = try await Fixture {
      $0.tls = nil
      $0.maximumUnfinishedBytes = 200_000
    }
    let first = try RawConnection(port: fixture.port)
    first.send(post(90_000) + String(repeating: "x", count: 80_000))
    #expect(await eventually { fixture.server.unfinishedBytes >= 80_000 })
    // Another's body does not fit, announced or not; neither does a header.
    let chunk = "8000\r\n\(String(repeating: "x", count: 32_768))\r\n"
    for text in [
      post(90_000) + String(repeating: "x", count: 80_000),
      "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk,
      "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + String(repeating: "x", count: 80_000),
    ] {
      let other = try RawConnection(port: fixture.port)
      other.send(text)
      let answer = await other.read()
      #expect(answer.hasPrefix("HTTP/1.1 429 "), "\(answer)")
      #expect(answer.contains("\r\nRetry-After: 1\r\n") && answer.lowercased().contains("connection: close"), "\(answer)")
      #expect(answer.contains(Self.tooMany), "\(answer)")
    }
    #expect(fixture.responder.requests.isEmpty)
    // What has room, and what needs none, is served.
    let small = try RawConnection(port: fixture.port)
    small.send(post(3) + "abc")
    #expect(await small.read(until: "[] 3").hasPrefix("HTTP/1.1 200 "))
    first.send(String(repeating: "x", count: 10_000))
    #expect(await first.read(until: "[] 90000").hasSuffix("POST /p [] 90000"))
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    first.send(post(90_000) + String(repeating: "x", count: 90_000))
    #expect(await first.read(until: "[] 90000").hasSuffix("POST /p [] 90000"))
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    await fixture.stop()
  }

  @Test func whatIsDroppedIsGivenBack() async throws {
    let fixture = try await Fixture {
      $0.tls = nil
      $0.bodyTimeout = .seconds(3)
    }
    var dropped: [RawConnection]? = []
    for text in [post(90_000) + "x", "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + String(repeating: "x", count: 50_000)] {
      let connection = try RawConnection(port: fixture.port)
      connection.send(text)
      dropped?.append(connection)
    }
    #expect(await eventually { fixture.server.unfinishedBytes >= 45_000 })
    dropped = nil
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    // Too late, too large, and nonsense.
    for (text, code) in [
      (post(90_000) + "x", "408"), (post(4_000_000) + "x", "413"),
      ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n", "400"),
    ] {
      let connection = try RawConnection(port: fixture.port)
      connection.send(text)
      #expect(await connection.read().hasPrefix("HTTP/1.1 \(code) "))
    }
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    await fixture.stop()
  }

  @Test func pipelinedRequestsAreGivenBack() async throws {
    let fixture = try await Fixture { $0.tls = nil }
    let raw = try RawConnection(port: fixture.port)
    raw.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(await eventually { fixture.responder.requests.count == 1 })
    raw.send(post(30_000) + String(repeating: "x", count: 30_000) + "GET /last HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(await eventually { fixture.server.unfinishedBytes > 0 })
    fixture.responder.releaseHeld()
    let text = await raw.read(until: "GET /last")
    #expect(text.contains("held") && text.contains("POST /p [] 30000"), "\(text)")
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    await fixture.stop()
  }

  /// Finding out who sends a request may take long, and meanwhile nothing else counts it.
  @Test func strangersRequestsCountUntilTheyAreAnswered() async throws {
    let fixture = try await Fixture { $0.maximumUnfinishedBytes = 200_000 }
    let client = try await H2Client(port: fixture.port)
    func ask(_ path: String) async throws -> H2Stream {
      let stream = try await client.open(path, method: "POST", extra: [("content-length", "88000")], end: false)
      try? await stream.send(String(repeating: "x", count: 88_000), end: true)
      return stream
    }
    let first = try await ask("/stubborn")
    #expect(await eventually { fixture.responder.requests.count == 1 })
    #expect((85_000...86_000).contains(fixture.server.unfinishedBytes), "\(fixture.server.unfinishedBytes)")
    let second = try await ask("/stubborn")
    #expect(await eventually { second.now.ended })
    #expect(second.now.status == "429" && second.now.body.contains(Self.tooMany))
    // What has no body holds its header lines.
    let header = try await client.open("/x", extra: [("x-large", String(repeating: "x", count: 15_500))])
    #expect(await eventually { header.now.ended })
    #expect(header.now.status == "429")

    // One that is known neither holds anything nor is kept out.
    let body = try fixture.write("body", String(repeating: "x", count: 90_000))
    let issued = try fixture.clientCA.issue(commonName: "jane", usage: .client)
    let certificate = try fixture.write("c.crt", issued.certificatePEM)
    let key = try fixture.write("c.key", issued.privateKeyPEM)
    let held = fixture.server.unfinishedBytes
    let known = try RunningProgram(
      "curl",
      [
        "-sS", "--cacert", fixture.path("ca.crt"), "--cert", certificate, "--key", key, "--data-binary", "@\(body)",
        fixture.url("/stubborn"),
      ])
    #expect(await eventually { fixture.responder.requests.count == 2 })
    #expect(fixture.server.unfinishedBytes == held)

    // The responder has what the peer sent, though the peer has gone.
    await first.reset()
    #expect(await eventually { first.now.closed })
    await client.close()
    #expect(await eventually { fixture.server.openConnections == 1 })
    #expect(fixture.server.unfinishedBytes == held)
    let again = try await fixture.curl("--http1.1", "--data-binary", "@\(body)", "-w", " %{http_code}", fixture.url("/p"))
    #expect(again.output.hasSuffix(" 429"), "\(again)")
    fixture.responder.releaseHeld()
    #expect(await known.wait().output == "stubborn 90000")
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    await fixture.stop()
  }

  /// The kubelet asks without a certificate, and kills what does not answer.
  @Test func probesAreAnsweredWhileStrangersHoldAll() async throws {
    let fixture = try await Fixture {
      $0.tls = nil
      $0.maximumUnfinishedBytes = 200_000
    }
    let raw = try RawConnection(port: fixture.port)
    raw.send("POST /stubborn HTTP/1.1\r\nHost: a\r\nContent-Length: 102000\r\n\r\n" + String(repeating: "x", count: 102_000))
    #expect(await eventually { fixture.responder.requests.count == 1 })
    #expect((99_000...100_000).contains(fixture.server.unfinishedBytes), "\(fixture.server.unfinishedBytes)")
    for _ in 0..<3 {
      let probe = try RawConnection(port: fixture.port)
      probe.send("GET /livez HTTP/1.1\r\nHost: a\r\nUser-Agent: kube-probe/1.33\r\nAccept: */*\r\nConnection: close\r\n\r\n")
      #expect(await probe.read().hasPrefix("HTTP/1.1 200 "))
    }
    let other = try RawConnection(port: fixture.port)
    other.send(post(9_000) + String(repeating: "x", count: 9_000))
    #expect(await other.read().hasPrefix("HTTP/1.1 429 "))
    fixture.responder.releaseHeld()
    #expect(await raw.read(until: "stubborn 102000").hasPrefix("HTTP/1.1 200 "))
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    await fixture.stop()
  }

  /// The decoder keeps them until they are whole.
  @Test func trailersCount() async throws {
    let fixture = try await Fixture {
      $0.tls = nil
      $0.maximumUnfinishedBytes = 200_000
    }
    let head = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    func trailers(_ count: Int) -> String { (0..<count).map { "T\($0): \(String(repeating: "v", count: 1_000))\r\n" }.joined() }
    let first = try RawConnection(port: fixture.port)
    first.send(head + "3\r\nabc\r\n")
    first.send("0\r\n" + trailers(60))
    #expect(await eventually { fixture.server.unfinishedBytes > 55_000 })
    let second = try RawConnection(port: fixture.port)
    second.send(head + "3\r\nabc\r\n0\r\n" + trailers(60))
    let refused = await second.read()
    #expect(refused.hasPrefix("HTTP/1.1 429 ") && refused.contains(Self.tooMany), "\(refused)")
    first.send("Last: v\r\n\r\n")
    #expect(await first.read(until: "[] 3").hasPrefix("HTTP/1.1 200 "))
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    // A body in the smallest of chunks is none.
    first.send(head + String(repeating: "1\r\nx\r\n", count: 10_000) + "0\r\n" + trailers(2) + "\r\n")
    #expect(await first.read(until: "[] 10000").hasPrefix("HTTP/1.1 200 "))
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    await fixture.stop()
  }

  @Test func strangersLeaveHalfToKnownPeers() async throws {
    let fixture = try await Fixture { $0.maximumUnfinishedBytes = 400_000 }
    let client = try await H2Client(port: fixture.port)
    var streams: [H2Stream] = []
    for _ in 0..<10 {
      let stream = try await client.open("/p", method: "POST", end: false)
      // Fails when the stream has been reset by then.
      try? await stream.send(String(repeating: "x", count: 60_000), end: false)
      streams.append(stream)
    }
    #expect(await eventually { streams.filter { $0.now.status == "429" && $0.now.closed }.count >= 7 })
    #expect(streams.allSatisfy { $0.now.status == nil || $0.now.body.contains(Self.tooMany) })
    #expect((120_000...200_000).contains(fixture.server.unfinishedBytes))
    #expect(client.isOpen)

    let body = try fixture.write("body", String(repeating: "x", count: 150_000))
    let issued = try fixture.proxyCA.issue(commonName: "front-proxy", usage: .client)
    let certificate = try fixture.write("proxy.crt", issued.certificatePEM)
    let key = try fixture.write("proxy.key", issued.privateKeyPEM)
    for version in ["--http1.1", "--http2"] {
      let known = try await fixture.curl(version, "--cert", certificate, "--key", key, "--data-binary", "@\(body)", fixture.url("/p"))
      #expect(known.output == "POST /p [] 150000", "\(known)")
    }
    // Over HTTP/2 curl forgets an answer when it reads it together with the reset that comes after it.
    let stranger = try await fixture.curl("--http1.1", "--data-binary", "@\(body)", "-w", " %{http_code}", fixture.url("/p"))
    #expect(stranger.output.hasSuffix(" 429"), "\(stranger)")
    await client.close()
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    await fixture.stop()
  }

  @Test func oneConnectionHoldsItsShareOnly() async throws {
    let fixture = try await Fixture { $0.maximumUnfinishedBytesPerConnection = 100_000 }
    let client = try await H2Client(port: fixture.port)
    let first = try await client.open("/p", method: "POST", end: false)
    try await first.send(String(repeating: "x", count: 60_000), end: false)
    #expect(await eventually { fixture.server.unfinishedBytes >= 60_000 })
    let second = try await client.open("/p", method: "POST", end: false)
    try? await second.send(String(repeating: "x", count: 60_000), end: false)
    #expect(await eventually { second.now.status == "429" && second.now.closed })
    let body = try fixture.write("body", String(repeating: "x", count: 60_000))
    #expect(try await fixture.curl("--data-binary", "@\(body)", fixture.url("/p")).output == "POST /p [] 60000")
    try await first.send("x", end: true)
    #expect(await eventually { first.now.ended })
    #expect(first.now.body == "POST /p [] 60001")
    #expect(await eventually { fixture.server.unfinishedBytes == 0 })
    await client.close()
    await fixture.stop()
  }
}
