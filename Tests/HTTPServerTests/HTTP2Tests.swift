import HTTPMessage
import HTTPServer
import Testing

@Suite(.serialized) struct HTTP2Tests {
  @Test func cancelledWatchesLeaveTheOthersAlone() async throws {
    let fixture = try await Fixture()
    let client = try await H2Client(port: fixture.port)
    let early = try await client.open("/watch")
    #expect(await eventually { fixture.responder.watches.count == 1 })
    let earlyStream = fixture.responder.watches[0]
    for number in 1...300 {
      let watch = try await client.open("/watch")
      // Some are given up before they have an answer.
      if number % 3 != 0 { #expect(await eventually { watch.now.status != nil }) }
      await watch.reset()
    }
    #expect(await eventually { fixture.responder.watches.dropFirst().allSatisfy { $0.isCancelled } })
    let late = try await client.open("/watch?late")
    #expect(await eventually { late.now.status == "200" })
    // The responder may hear of one that was given up only now.
    let lateStream = try #require(fixture.responder.watches.first { $0.query == "late" })
    for stream in [earlyStream, lateStream] { stream.feed(.bytes(Array("alive\n".utf8)), .end) }
    #expect(await eventually { early.now.ended && late.now.ended })
    #expect(early.now.body == "alive\n" && late.now.body == "alive\n")
    #expect(!earlyStream.isCancelled)
    await client.close()
    await fixture.stop()
  }

  @Test func takingRequestsBackWithoutEndEndsTheConnection() async throws {
    let fixture = try await Fixture { $0.maximumUnansweredResets = 50 }
    let client = try await H2Client(port: fixture.port)
    for _ in 0..<80 where client.isOpen {
      guard let stream = try? await client.open("/slow") else { break }
      await stream.reset()
    }
    #expect(await eventually { !client.isOpen })
    #expect(await eventually { fixture.server.openConnections == 0 })
    await fixture.stop()
  }

  @Test func resetsBeyondTheLimitEndTheConnection() async throws {
    let fixture = try await Fixture { $0.maximumStreamResets = 50 }
    let client = try await H2Client(port: fixture.port)
    for _ in 0..<60 where client.isOpen {
      guard let watch = try? await client.open("/watch") else { break }
      _ = await eventually { watch.now.status != nil || !client.isOpen }
      await watch.reset()
    }
    #expect(await eventually { !client.isOpen })
    await fixture.stop()
  }

  @Test func pingsAreAnsweredAndFloodsEnded() async throws {
    let fixture = try await Fixture()
    let client = try await H2Client(port: fixture.port)
    let watch = try await client.open("/watch")
    #expect(await eventually { watch.now.status == "200" })
    for _ in 0..<10 { client.ping() }
    #expect(await eventually { client.pongs == 10 })
    for _ in 0..<300 { client.ping() }
    #expect(await eventually { !client.isOpen })
    #expect(await eventually { fixture.responder.watches[0].isCancelled })
    await fixture.stop()
  }

  @Test func endOfStreamComesWithTheLastBytes() async throws {
    let fixture = try await Fixture()
    let client = try await H2Client(port: fixture.port)
    let get = try await client.open("/x?y")
    #expect(await eventually { get.now.ended })
    #expect(get.now.body == "GET /x [y] 0" && get.now.dataFrames == 1)
    let post = try await client.open("/p", method: "POST", end: false)
    try await post.send("abc", end: false)
    try await post.send("de", end: true)
    #expect(await eventually { post.now.ended })
    #expect(post.now.body == "POST /p [] 5")
    await client.close()
    await fixture.stop()
  }

  @Test func malformedStreamsLeaveTheOthersAlone() async throws {
    let fixture = try await Fixture()
    let client = try await H2Client(port: fixture.port)
    let watch = try await client.open("/watch")
    #expect(await eventually { watch.now.status == "200" })
    for extra in [("connection", "close"), ("Upper", "case"), ("content-length", "12"), ("content-length", "x"), ("a", "b\r\nc: d")] {
      let bad = try await client.open("/x", extra: [extra])
      #expect(await eventually { bad.now.closed }, "\(extra)")
      #expect(bad.now.status == nil, "\(extra)")
    }
    let star = try await client.open("nowhere")
    #expect(await eventually { star.now.ended })
    #expect(star.now.status == "400" && star.now.body.contains(#""kind":"Status""#))
    fixture.responder.watches[0].feed(.bytes(Array("alive".utf8)), .end)
    #expect(await eventually { watch.now.ended })
    #expect(watch.now.body == "alive")
    await client.close()
    await fixture.stop()
  }

  @Test func brokenOffBodyIsReset() async throws {
    let fixture = try await Fixture()
    let client = try await H2Client(port: fixture.port)
    let watch = try await client.open("/watch")
    #expect(await eventually { watch.now.status == "200" })
    fixture.responder.watches[0].feed(.bytes([65]), .abort)
    #expect(await eventually { watch.now.closed })
    #expect(watch.now.body == "A" && !watch.now.ended)
    #expect(client.isOpen)
    await client.close()
    await fixture.stop()
  }

  @Test func oneEventReachesManyWatches() async throws {
    let fixture = try await Fixture()
    let client = try await H2Client(port: fixture.port)
    var watches: [H2Stream] = []
    // The client keeps to 100 streams until it has seen our settings.
    for _ in 0..<500 { watches.append(try await client.open("/watch")) }
    #expect(await eventually { fixture.responder.watches.filter(\.isStarted).count == 500 })
    let event = Array(String(repeating: "e", count: 2_000).utf8)
    for stream in fixture.responder.watches { stream.feed(.bytes(event)) }
    #expect(await eventually { watches.allSatisfy { $0.now.body.utf8.count == 2_000 } })
    let began = ContinuousClock.now
    await fixture.server.shutdown(grace: .seconds(600))
    // Far below the grace: the watches ended by themselves.
    #expect(ContinuousClock.now - began < .seconds(300))
    #expect(await eventually { watches.allSatisfy { $0.now.ended } })
    await fixture.stop()
  }

  @Test func slowReaderIsNotBufferedFor() async throws {
    let fixture = try await Fixture()
    let client = try await H2Client(port: fixture.port)
    let flood = try await client.open("/flood", autoRead: false)
    #expect(await eventually { fixture.responder.flood.bytes > 0 })
    try await Task.sleep(for: .milliseconds(300))
    #expect(fixture.responder.flood.bytes < 2 << 20)
    // The connection goes on meanwhile.
    let other = try await client.open("/x")
    #expect(await eventually { other.now.ended })
    await flood.reset()
    #expect(await eventually { fixture.responder.flood.isCancelled })
    await client.close()
    await fixture.stop()
  }

  @Test func readerThatTakesNothingLosesItsStreamOnly() async throws {
    let fixture = try await Fixture { $0.stallTimeout = .milliseconds(300) }
    let client = try await H2Client(port: fixture.port)
    let watch = try await client.open("/watch")
    #expect(await eventually { watch.now.status == "200" })
    let flood = try await client.open("/flood", autoRead: false)
    #expect(await eventually { fixture.responder.flood.isCancelled })
    fixture.responder.watches[0].feed(.bytes(Array("alive".utf8)), .end)
    #expect(await eventually { watch.now.ended })
    await flood.reset()
    await client.close()
    await fixture.stop()
  }

  @Test(arguments: [("/x", 0), ("/quarter", 65_535)])
  func shortAnswersThatNobodyTakesAreBrokenOff(_ path: String, _ window: Int) async throws {
    let fixture = try await Fixture {
      $0.stallTimeout = .milliseconds(300)
      $0.idleTimeout = .seconds(2)
    }
    let client = try await H2Client(port: fixture.port, window: window)
    for _ in 0..<20 { _ = try? await client.open(path, autoRead: false) }
    #expect(await eventually { !fixture.responder.requests.isEmpty })
    // Without a stream in progress the connection is idle, and ends.
    #expect(await eventually { fixture.server.openConnections == 0 })
    await client.close()
    await fixture.stop()
  }

  @Test func idleConnectionEndsButNotUnderAWatch() async throws {
    let fixture = try await Fixture { $0.idleTimeout = .seconds(1) }
    var client: H2Client
    var opened: H2Stream?
    var attempt = 0
    // On a busy machine the connection may have been idle for too long by then.
    repeat {
      attempt += 1
      client = try await H2Client(port: fixture.port)
      opened = try? await client.open("/watch?\(attempt)")
    } while opened == nil && attempt < 10
    let watch = try #require(opened)
    let silent = try await H2Client(port: fixture.port)
    #expect(await eventually { !silent.isOpen })
    try await Task.sleep(for: .milliseconds(500))
    let stream = try #require(fixture.responder.watches.first { $0.query == "\(attempt)" })
    stream.feed(.bytes(Array("alive".utf8)), .end)
    #expect(await eventually { watch.now.ended && !client.isOpen })
    #expect(watch.now.body == "alive")
    await fixture.stop()
  }

  @Test func bodyTimeoutIsOfTheStream() async throws {
    let fixture = try await Fixture { $0.bodyTimeout = .milliseconds(200) }
    let client = try await H2Client(port: fixture.port)
    let post = try await client.open("/p", method: "POST", end: false)
    #expect(await eventually { post.now.ended })
    #expect(post.now.status == "408" && post.now.body.contains(#""reason":"Timeout""#))
    let get = try await client.open("/x")
    #expect(await eventually { get.now.ended })
    await client.close()
    await fixture.stop()
  }
}
