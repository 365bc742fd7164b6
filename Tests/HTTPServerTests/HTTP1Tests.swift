import Foundation
import HTTPMessage
import HTTPServer
import Testing

@Suite(.serialized) struct HTTP1Tests {
  private func withPlain(
    _ adjust: (inout HTTPServerConfiguration) -> Void = { _ in }, _ body: (Fixture) async throws -> Void
  ) async throws {
    let fixture = try await Fixture {
      $0.tls = nil
      adjust(&$0)
    }
    try await body(fixture)
    await fixture.stop()
  }

  @Test func answersInTheOrderOfPipelinedRequests() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send(
        "GET /soon HTTP/1.1\r\nHost: a\r\n\r\nPOST /two?x=%2F&y=+ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
          + "GET /three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      let text = await raw.read()
      let bodies = text.components(separatedBy: "\r\n\r\n").dropFirst().map { $0.split(separator: "HTTP/1.1").first.map(String.init) ?? "" }
      #expect(bodies == ["soon", "POST /two [x=%2F&y=+] 3", "GET /three [] 0"])
      #expect(text.contains("\r\nDate: "))
    }
  }

  @Test(arguments: [
    ("NONSENSE\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
    ("GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "400"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
    ("GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", "400"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", "400"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: miracles\r\n\r\n", "417"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3145729\r\n\r\n", "413"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX-Large: \(String(repeating: "x", count: 1_100_000))\r\n\r\n", "431"),
  ])
  func refusesWithAStatusAndCloses(_ request: String, _ code: String) async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send(request)
      let text = await raw.read()
      #expect(text.hasPrefix("HTTP/1.1 \(code) "), "\(text)")
      #expect(text.contains(#""kind":"Status""#))
      #expect(text.contains("\"code\":\(code)"))
      #expect(text.lowercased().contains("connection: close"))
    }
  }

  @Test func tooLargeWithoutAnnouncementIsRefusedMeanwhile() async throws {
    try await withPlain({ $0.maximumBodyBytes = 100_000 }) { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
      for _ in 0..<20 { raw.send("2000\r\n\(String(repeating: "x", count: 8192))\r\n") }
      let text = await raw.read()
      #expect(text.hasPrefix("HTTP/1.1 413 "))
      #expect(text.contains(#""message":"Request entity too large: limit is 100000","reason":"RequestEntityTooLarge","code":413"#))
    }
  }

  @Test func timeoutsOfHeaderAndBody() async throws {
    try await withPlain({
      $0.headerTimeout = .seconds(2)
      $0.bodyTimeout = .seconds(2)
    }) { fixture in
      let silent = try RawConnection(port: fixture.port)
      #expect(await silent.read() == "")
      let slow = try RawConnection(port: fixture.port)
      slow.send("GET / HTTP/1.1\r\nHo")
      #expect(await slow.read().hasPrefix("HTTP/1.1 408 "))
      let body = try RawConnection(port: fixture.port)
      body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
      let text = await body.read()
      #expect(text.hasPrefix("HTTP/1.1 408 ") && text.contains(#""reason":"Timeout""#))
    }
  }

  @Test func idleTimeoutSparesAnOpenWatch() async throws {
    try await withPlain({ $0.idleTimeout = .seconds(2) }) { fixture in
      let idle = try RawConnection(port: fixture.port)
      idle.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = await idle.read(until: "GET /x")
      let watch = try RawConnection(port: fixture.port)
      watch.send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n")
      let head = await watch.read(until: "\r\n\r\n")
      #expect(head.contains("Transfer-Encoding: chunked"))
      #expect(await idle.isAtEnd)
      try await Task.sleep(for: .seconds(2))
      fixture.responder.watches[0].feed(.bytes(Array("event\n".utf8)))
      #expect(await watch.read(until: "event") == "6\r\nevent\n\r\n")
      fixture.responder.watches[0].feed(.end)
      #expect(await watch.read(until: "0\r\n\r\n") == "0\r\n\r\n")
    }
  }

  @Test func headHasNoBodyAndStreamsAreLetGo() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\nHEAD /watch HTTP/1.1\r\nHost: a\r\n\r\nGET /last HTTP/1.0\r\n\r\n")
      let text = await raw.read()
      #expect(text.contains("Content-Length: 14\r\n"))
      #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
      #expect(text.hasSuffix("\r\n\r\nGET /last [] 0"))
      #expect(!text.contains("chunked"))
      #expect(fixture.responder.watches[0].isCancelled)
    }
  }

  @Test func expectContinueIsAnswered() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
      #expect(await raw.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      raw.send("ab")
      #expect(await raw.read(until: "POST /e").hasSuffix("POST /e [] 2"))
    }
  }

  @Test func upgradeIsNotTaken() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("POST /log HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n\r\n")
      let text = await raw.read()
      #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.hasSuffix("POST /log [] 0"))
      #expect(text.contains("Connection: close\r\n"))
    }
  }

  @Test func longBodyArrivesWhole() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      let text = await raw.read()
      #expect(text.contains("\r\n\r\n" + String(repeating: "x", count: 2_000_000) + "HTTP/1.1 200 OK"))
      #expect(text.hasSuffix("GET /next [] 0"))
    }
  }

  @Test func shutdownAnswersWhatIsInProgressAndCloses() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
      let idle = try RawConnection(port: fixture.port)
      #expect(await eventually { fixture.responder.requests.count == 1 && fixture.server.openConnections == 2 })
      async let stopped: Void = fixture.server.shutdown(grace: .seconds(30))
      #expect(await idle.isAtEnd)
      fixture.responder.releaseHeld()
      let text = await raw.read()
      #expect(text.contains("Connection: close\r\n") && text.hasSuffix("held"), "\(text)")
      await stopped
    }
  }

  @Test func readerThatTakesNothingIsCut() async throws {
    try await withPlain({ $0.stallTimeout = .milliseconds(300) }) { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(await eventually { fixture.responder.flood.isCancelled && fixture.server.openConnections == 0 })
      withExtendedLifetime(raw) {}
    }
  }

  /// The answers are too short to fill anything by themselves.
  @Test func whoAsksAndReadsNothingWaitsAndIsCut() async throws {
    try await withPlain({ $0.stallTimeout = .milliseconds(300) }) { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send(String(repeating: "GET /quarter HTTP/1.1\r\nHost: a\r\n\r\n", count: 400))
      #expect(await eventually { fixture.responder.requests.count > 0 && fixture.server.openConnections == 0 })
      // Some answers are in the kernel's buffers, which grow to some megabytes.
      #expect(fixture.responder.requests.count < 200, "\(fixture.responder.requests.count)")
      withExtendedLifetime(raw) {}
    }
  }

  @Test func whoAsksMuchAndReadsLaterHasEveryAnswer() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send(String(repeating: "GET /quarter HTTP/1.1\r\nHost: a\r\n\r\n", count: 150))
      raw.send("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      // Until no more of them begin.
      var begun = 0
      repeat {
        begun = fixture.responder.requests.count
        try await Task.sleep(for: .milliseconds(100))
      } while begun == 0 || fixture.responder.requests.count > begun
      let text = await raw.read()
      #expect(text.hasSuffix("GET /last [] 0"))
      #expect(text.components(separatedBy: "\r\n\r\n" + String(repeating: "q", count: 200_000)).count == 151)
    }
  }

  @Test func answerToTheLastRequestIsCutWhenNobodyTakesIt() async throws {
    try await withPlain({ $0.stallTimeout = .milliseconds(300) }) { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send(
        String(repeating: "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", count: 10)
          + "GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      #expect(await eventually { fixture.responder.requests.count > 0 && fixture.server.openConnections == 0 })
      withExtendedLifetime(raw) {}
    }
  }

  /// What the system takes at once makes room at once.
  @Test func longStreamArrivesWholeAtOnce() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = await raw.read(until: "\r\n\r\n")
      let piece = [UInt8](repeating: 120, count: 100_000)
      for _ in 0..<3 { fixture.responder.watches[0].feed(.bytes(piece), .bytes(piece), .bytes(piece), .bytes(piece), .bytes(piece)) }
      fixture.responder.watches[0].feed(.end)
      let text = await raw.read(until: "0\r\n\r\n")
      #expect(text.components(separatedBy: "186a0\r\n" + String(repeating: "x", count: 100_000) + "\r\n").count == 16)
    }
  }

  @Test func brokenOffBodyHasNoLastChunk() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = await raw.read(until: "\r\n\r\n")
      fixture.responder.watches[0].feed(.bytes([65]), .abort)
      #expect(await raw.read() == "1\r\nA\r\n")
    }
  }

  @Test func waitIsHeeded() async throws {
    try await withPlain { fixture in
      let raw = try RawConnection(port: fixture.port)
      raw.send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = await raw.read(until: "\r\n\r\n")
      fixture.responder.watches[0].feed(.wait(.milliseconds(50)), .bytes([66]), .end)
      #expect(await raw.read(until: "0\r\n\r\n") == "1\r\nB\r\n0\r\n\r\n")
    }
  }

  @Test func vanishedPeerCancelsTaskAndStream() async throws {
    try await withPlain { fixture in
      do {
        let slow = try RawConnection(port: fixture.port)
        slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        let watch = try RawConnection(port: fixture.port)
        watch.send("GET /watch HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = await watch.read(until: "\r\n\r\n")
        #expect(await eventually { fixture.responder.requests.count == 2 })
      }
      #expect(await eventually { fixture.responder.cancellations == 1 })
      #expect(await eventually { fixture.responder.watches[0].isCancelled })
      #expect(await eventually { fixture.server.openConnections == 0 })
    }
  }

  @Test func slowReaderIsNotBufferedFor() async throws {
    try await withPlain { fixture in
      do {
        let raw = try RawConnection(port: fixture.port)
        raw.send("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await eventually { fixture.responder.flood.bytes > 0 })
        // What is pulled goes into the kernel's socket buffers, which grow to some megabytes, and at most a turn's worth into ours; then it stands.
        var before = 0
        repeat {
          before = fixture.responder.flood.bytes
          try await Task.sleep(for: .milliseconds(300))
        } while fixture.responder.flood.bytes > before && before < 32 << 20
        #expect(before < 32 << 20)
      }
      #expect(await eventually { fixture.responder.flood.isCancelled })
    }
  }
}
