import AdapterKit
import CurlTransport
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct CurlTransportTests {
  @Test func sendsWhatWasAskedAndCollectsTheAnswer() async throws {
    let engine = try StubEngine { _ in StubAnswer(422, headers: [("X-Reason", " two words "), ("x-reason", "")], text: "no") }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let answer = try await transport.send(
      TransportRequest(
        method: "PATCH", url: engine.url + "/a%20b?q=1&r=%2B",
        headers: [("Content-Type", "application/json"), ("X-Empty", ""), ("X-A", "b")],
        body: Array("{\"a\":0}\u{0}x".utf8)))
    #expect(answer.status == 422)
    #expect(answer.body == Array("no".utf8))
    #expect(answer.headers.filter { $0.name.lowercased() == "x-reason" }.map(\.value) == ["two words", ""])
    let request = try #require(engine.requests.first)
    #expect(request.method == "PATCH")
    #expect(request.target == "/a%20b?q=1&r=%2B")
    #expect(request.body == Array("{\"a\":0}\u{0}x".utf8))
    #expect(request.header("Content-Type") == "application/json")
    #expect(request.header("X-Empty") == "")
    #expect(request.header("X-A") == "b")
    #expect(request.header("Expect") == nil)
    #expect(request.header("User-Agent") == "workflow-apiserver")
  }

  @Test(arguments: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
  func methodsWithoutABody(_ method: String) async throws {
    let engine = try StubEngine { _ in StubAnswer(200, text: "body") }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let answer = try await transport.send(TransportRequest(method: method, url: engine.url + "/"))
    #expect(answer.body == (method == "HEAD" ? [] : Array("body".utf8)))
    let request = try #require(engine.requests.first)
    #expect(request.method == method)
    #expect(request.body == [])
    #expect(request.header("Content-Type") == nil)
    #expect(request.header("Content-Length") == (["POST", "PUT", "PATCH"].contains(method) ? "0" : nil))
  }

  @Test func keepsOneConnectionForManyRequests() async throws {
    let engine = try StubEngine { StubAnswer(200, text: $0.path) }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    for number in 0..<50 {
      let answer = try await transport.send(TransportRequest(method: number % 2 == 0 ? "GET" : "POST", url: engine.url + "/\(number)"))
      #expect(answer.body == Array("/\(number)".utf8))
    }
    #expect(engine.connections == 1)
    #expect(engine.requests.count == 50)
  }

  @Test func concurrentRequestsStayUnderTheConnectionLimit() async throws {
    let engine = try StubEngine { StubAnswer(200, text: $0.path) }
    defer { engine.stop() }
    let transport = CurlTransport(CurlConfiguration(maxConnectionsPerHost: 3))
    defer { transport.shutdown() }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<200 {
        group.addTask {
          try await transport.send(TransportRequest(method: "GET", url: engine.url + "/\(number)")).body == Array("/\(number)".utf8)
        }
      }
      for try await equal in group { #expect(equal) }
    }
    #expect(engine.connections <= 3)
  }

  @Test func redirectsAreAnswersLikeAnyOther() async throws {
    let engine = try StubEngine { _ in StubAnswer(302, headers: [("Location", "/elsewhere")]) }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let answer = try await transport.send(TransportRequest(method: "GET", url: engine.url + "/"))
    #expect(answer.status == 302)
    #expect(answer.header("location") == "/elsewhere")
    #expect(engine.requests.count == 1)
  }

  @Test func onlyTheLastHeadCounts() async throws {
    let engine = try StubEngine { _ in
      .raw("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nX-B: 2\r\nContent-Length: 2\r\n\r\nok")
    }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let answer = try await transport.send(TransportRequest(method: "GET", url: engine.url + "/"))
    #expect(answer.status == 200)
    #expect(answer.headers.map(\.name) == ["X-B", "Content-Length"])
    #expect(answer.body == Array("ok".utf8))
  }

  @Test func unixSocket() async throws {
    let path = try TemporaryFolder().path + "/s"
    let engine = try StubEngine(unixSocketPath: path) { StubAnswer(200, text: $0.header("Host") ?? "") }
    defer { engine.stop() }
    let transport = CurlTransport(CurlConfiguration(unixSocketPath: path))
    defer { transport.shutdown() }
    let answer = try await transport.send(TransportRequest(method: "GET", url: engine.url + "/"))
    #expect(answer.body == Array("localhost".utf8))
  }

  /// The number of a descriptor is given to the next socket as soon as it is closed.
  @Test func aStoppedStubTakesNoConnectionOfTheNextOne() async throws {
    for _ in 0..<200 {
      try StubEngine { _ in .closed }.stop()
      let engine = try StubEngine { _ in StubAnswer(200) }
      let transport = CurlTransport()
      let answer = try await transport.send(TransportRequest(method: "GET", url: engine.url + "/"))
      #expect(answer.status == 200)
      transport.shutdown()
      engine.stop()
    }
  }

  @Test func cancelledTasksEndTheirTransfers() async throws {
    let arrived = AsyncStream.makeStream(of: Void.self)
    let engine = try StubEngine { _ in
      arrived.continuation.yield()
      return .silence
    }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let task = Task { await failure { try await transport.send(TransportRequest(method: "POST", url: engine.url + "/")) } }
    for await _ in arrived.stream { break }
    task.cancel()
    let error = await task.value
    // Not `.timeout`: it was the cancel that ended it.
    #expect(error?.code == .cancelled)
    #expect(error?.mayHaveBeenSent == true)
  }

  @Test func aTaskThatWasCancelledBeforeSendsNothing() async throws {
    let engine = try StubEngine { _ in StubAnswer(200) }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return await failure { try await transport.send(TransportRequest(method: "POST", url: engine.url + "/")) }
    }
    task.cancel()
    let error = await task.value
    #expect(error?.code == .cancelled)
    #expect(error?.mayHaveBeenSent == false)
    #expect(engine.requests.isEmpty)
  }

  @Test func shutdownEndsWhatRunsAndRefusesWhatComes() async throws {
    let arrived = AsyncStream.makeStream(of: Void.self)
    let engine = try StubEngine { _ in
      arrived.continuation.yield()
      return .silence
    }
    defer { engine.stop() }
    let transport = CurlTransport()
    let task = Task { await failure { try await transport.send(TransportRequest(method: "GET", url: engine.url + "/")) } }
    for await _ in arrived.stream { break }
    transport.shutdown()
    #expect(await task.value?.code == .cancelled)
    let late = await failure { try await transport.send(TransportRequest(method: "POST", url: engine.url + "/")) }
    #expect(late?.code == .cancelled)
    #expect(late?.mayHaveBeenSent == false)
  }

  @Test func deadline() async throws {
    let engine = try StubEngine { _ in .silence }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let error = await failure {
      try await transport.send(TransportRequest(method: "POST", url: engine.url + "/", timeout: .milliseconds(100)))
    }
    #expect(error?.code == .timeout)
    #expect(error?.mayHaveBeenSent == true)
    let none = await failure { try await transport.send(TransportRequest(method: "POST", url: engine.url + "/", timeout: .zero)) }
    #expect(none?.code == .timeout)
    #expect(none?.mayHaveBeenSent == false)
  }

  @Test func tooLargeIsAnErrorNeverACut() async throws {
    let engine = try StubEngine { request in
      request.path == "/exact"
        ? StubAnswer(200, body: [UInt8](repeating: 1, count: 100_000)) : .chunks { $0 < 1000 ? [UInt8](repeating: 1, count: 1000) : nil }
    }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let exact = try await transport.send(TransportRequest(method: "GET", url: engine.url + "/exact", maximumResponseBytes: 100_000))
    #expect(exact.body.count == 100_000)
    for path in ["/exact", "/chunked"] {
      let error = await failure {
        try await transport.send(TransportRequest(method: "GET", url: engine.url + path, maximumResponseBytes: 99_999))
      }
      #expect(error?.code == .tooLarge)
      #expect(error?.mayHaveBeenSent == true)
    }
  }

  @Test func nobodyListens() async throws {
    let (socket, port) = try Sockets.bindOnLoopback()
    defer { close(socket) }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let error = await failure {
      try await transport.send(TransportRequest(method: "POST", url: "http://user:secret@127.0.0.1:\(port)/x?token=secret"))
    }
    #expect(error?.code == .connect)
    #expect(error?.mayHaveBeenSent == false)
    #expect(error?.message.contains("127.0.0.1:\(port)") == true)
    #expect(error?.message.contains("secret") == false)
  }

  @Test func closedAfterTheRequestWasRead() async throws {
    let engine = try StubEngine { _ in .closed }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let error = await failure { try await transport.send(TransportRequest(method: "POST", url: engine.url + "/", body: [1])) }
    #expect(error?.code == .broken)
    #expect(error?.mayHaveBeenSent == true)
    #expect(engine.requests.count == 1)
  }

  /// The case in which libcurl repeats a request by itself: the connection was kept, and ends without an answer.
  @Test(arguments: ["POST", "PATCH", "DELETE", "GET"])
  func aWriteIsNeverSentTwiceOnAKeptConnection(_ method: String) async throws {
    let engine = try StubEngine { $0.path == "/first" ? StubAnswer(200) : .closed }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    _ = try await transport.send(TransportRequest(method: "GET", url: engine.url + "/first"))
    let error = await failure { try await transport.send(TransportRequest(method: method, url: engine.url + "/second")) }
    #expect(error?.code == .broken)
    #expect(error?.mayHaveBeenSent == true)
    #expect(engine.requests.filter { $0.path == "/second" }.count == (method == "GET" ? 2 : 1))
  }

  @Test func aConnectionThatDiedMeanwhileIsNotAnError() async throws {
    let engine = try StubEngine { _ in StubAnswer(200) }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    _ = try await transport.send(TransportRequest(method: "GET", url: engine.url + "/"))
    engine.closeConnections()
    while engine.openConnections > 0 { await Task.yield() }
    #expect(try await transport.send(TransportRequest(method: "POST", url: engine.url + "/")).status == 200)
    #expect(engine.requests.count == 2)
  }

  @Test func halfAnAnswerIsNone() async throws {
    let engine = try StubEngine { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    #expect(await failure { try await transport.send(TransportRequest(method: "GET", url: engine.url + "/")) }?.code == .broken)
    let other = try StubEngine { _ in .raw("SSH-2.0-OpenSSH\r\n") }
    defer { other.stop() }
    #expect(await failure { try await transport.send(TransportRequest(method: "GET", url: other.url + "/")) }?.code == .broken)
  }

  @Test func hugeHeadersAreRefused() async throws {
    let engine = try StubEngine { _ in
      StubAnswer(200, headers: (0..<40).map { ("X-\($0)", String(repeating: "a", count: 10_000)) })
    }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    #expect(await failure { try await transport.send(TransportRequest(method: "GET", url: engine.url + "/")) }?.code == .tooLarge)
  }

  @Test(arguments: [
    TransportRequest(method: "GET /x HTTP/1.1\r\nX: y", url: "http://127.0.0.1/"),
    TransportRequest(method: "GET", url: "file:///etc/passwd"),
    TransportRequest(method: "GET", url: "http:///x"),
    TransportRequest(method: "GET", url: "http://127.0.0.1/a b"),
    TransportRequest(method: "GET", url: "http://127.0.0.1/", headers: [("X", "a\r\nY: b")]),
    TransportRequest(method: "GET", url: "http://127.0.0.1/", headers: [("X:", "a")]),
    TransportRequest(method: "GET", url: "http://127.0.0.1/", headers: [("Content-Length", "3")]),
  ])
  func unusableRequestsAreNotSent(_ request: TransportRequest) async throws {
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let error = await failure { try await transport.send(request) }
    #expect(error?.code == .invalidRequest)
    #expect(error?.mayHaveBeenSent == false)
  }

  @Test func unknownHost() async throws {
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let error = await failure { try await transport.send(TransportRequest(method: "GET", url: "http://no-such-host.invalid/")) }
    #expect(error?.code == .resolve)
    #expect(error?.mayHaveBeenSent == false)
  }
}

/// The error that a call ends with; nil when it succeeds.
func failure<T>(_ body: () async throws -> T) async -> TransportError? {
  do {
    _ = try await body()
    return nil
  } catch {
    if !(error is TransportError) { Issue.record(error) }
    return error as? TransportError
  }
}
