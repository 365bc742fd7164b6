import AdapterKit
import CurlTransport
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct StreamTests {
  @Test func theHeadComesBeforeTheBody() async throws {
    let gate = Gate()
    let engine = try StubEngine { _ in
      .chunks(headers: [("X-A", "b")]) { number in
        gate.wait()
        return number < 2 ? Array("piece \(number)\n".utf8) : nil
      }
    }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/"))
    #expect(stream.status == 200)
    #expect(stream.headers.first { $0.name == "X-A" }?.value == "b")
    gate.open()
    #expect(try await stream.next() == Array("piece 0\n".utf8))
    gate.open()
    #expect(try await stream.next() == Array("piece 1\n".utf8))
    gate.open()
    #expect(try await stream.next() == nil)
    #expect(try await stream.next() == nil)
  }

  @Test func aSlowReaderHoldsTheEngineBack() async throws {
    let sent = Atomic(0)
    let count = 400
    let engine = try StubEngine { _ in
      .chunks { number in
        guard number < count else { return nil }
        sent.add(1, ordering: .relaxed)
        return [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 100_000)
      }
    }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/"))
    // The engine gets stuck when our buffer and the kernel's are full: wait until it makes no headway any more.
    var before = -1
    while before != sent.load(ordering: .relaxed) {
      before = sent.load(ordering: .relaxed)
      try await Task.sleep(for: .milliseconds(150))
    }
    #expect(before < count)
    var total = 0
    var wrong = 0
    while let piece = try await stream.next() {
      #expect(piece.count <= 2 << 20)
      for offset in stride(from: 0, to: piece.count, by: 997) where piece[offset] != UInt8(truncatingIfNeeded: (total + offset) / 100_000) {
        wrong += 1
      }
      total += piece.count
    }
    #expect(total == count * 100_000)
    #expect(wrong == 0)
  }

  @Test func theTimeoutBoundsTheHeadOnly() async throws {
    let engine = try StubEngine { request in
      if request.path == "/never" { return .silence }
      return .chunks { number in
        usleep(1_000_000)
        return number < 4 ? [1] : nil
      }
    }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/slow", timeout: .seconds(2)))
    var total = 0
    while let piece = try await stream.next() { total += piece.count }
    #expect(total == 4)
    let error = await failure {
      try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/never", timeout: .milliseconds(100)))
    }
    #expect(error?.code == .timeout)
  }

  @Test func cancelEndsTheTransfer() async throws {
    let engine = try StubEngine { _ in .chunks { _ in [1, 2, 3] } }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/"))
    _ = try await stream.next()
    stream.cancel()
    let error = await failure { while try await stream.next() != nil {} }
    #expect(error?.code == .cancelled)
    while engine.openConnections > 0 { await Task.yield() }
  }

  @Test func droppingItEndsTheTransfer() async throws {
    let engine = try StubEngine { _ in .chunks { _ in [1, 2, 3] } }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    _ = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/"))
    while engine.openConnections > 0 { await Task.yield() }
  }

  @Test func aCancelledReaderIsWokenUp() async throws {
    let gate = Gate()
    let engine = try StubEngine { _ in
      .chunks { _ in
        gate.wait()
        return nil
      }
    }
    defer {
      gate.open()
      engine.stop()
    }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/"))
    let task = Task { await failure { try await stream.next() } }
    task.cancel()
    #expect(await task.value?.code == .cancelled)
  }

  @Test func anAnswerThatBreaksOffIsAnErrorAfterWhatCame() async throws {
    let engine = try StubEngine { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/"))
    #expect(try await stream.next() == Array("half".utf8))
    #expect(await failure { try await stream.next() }?.code == .broken)
  }

  @Test func theSizeLimitHoldsForStreamsToo() async throws {
    let engine = try StubEngine { _ in .chunks { _ in [UInt8](repeating: 1, count: 1000) } }
    defer { engine.stop() }
    let transport = CurlTransport()
    defer { transport.shutdown() }
    let stream = try await transport.stream(TransportRequest(method: "GET", url: engine.url + "/", maximumResponseBytes: 50_000))
    let error = await failure { while try await stream.next() != nil {} }
    #expect(error?.code == .tooLarge)
  }
}
