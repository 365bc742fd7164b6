import AdapterKit
import HTTPMessage
import JSON
import KubeWire
import Synchronization
import Testing

@testable import APIServer

@Suite struct FilterTests {
  @Test("U4: timeout") func timeouts() throws {
    #expect(try Deadline.duration(["timeout": "6s"], maximum: .seconds(60)) == .seconds(6))
    #expect(try Deadline.duration(["timeout": "6m13s"], maximum: .seconds(60)) == .seconds(60))
    #expect(try Deadline.duration([:], maximum: .seconds(60)) == .seconds(60))
    let error = #expect(throws: StatusError.self) { try Deadline.duration(["timeout": "zz"], maximum: .seconds(60)) }
    #expect(error?.status.message == #"invalid timeout specified in the request URL - time: invalid duration "zz""#)
  }

  @Test("E1: work that is late is 504 without Retry-After, even when it does not heed cancellation", .timeLimit(.minutes(1)))
  func late() async {
    let clock = TestClock()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    let gate = Mutex<CheckedContinuation<Void, Never>?>(nil)
    async let result: StatusError? = {
      do {
        _ = try await Deadline.run(until: clock.now + .seconds(5), clock: clock, isWrite: true) { () async throws(StatusError) in
          await withCheckedContinuation { continuation in
            gate.withLock { $0 = continuation }
            signal.yield()
          }
          return APIServerResponder.Answer(response: .text("late"))
        }
        return nil
      } catch { return error as? StatusError }
    }()
    for await _ in started { break }
    // The timer's task may not sleep yet: move the clock until it does.
    let mover = Task {
      while !Task.isCancelled {
        clock.advance(by: .seconds(5))
        await Task.yield()
      }
    }
    let error = await result
    mover.cancel()
    #expect(error?.status.code == 504 && error?.retryAfter == nil && error?.status.reason == "Timeout")
    gate.withLock { $0 }?.resume()
  }

  @Test("E1: above the limit it is 429 with Retry-After") func limit() throws {
    let limit = InFlightLimit(1)
    try limit.enter()
    let error = #expect(throws: StatusError.self) { try limit.enter() }
    #expect(error?.status.code == 429 && HTTPResponse(error!).headers["Retry-After"] == "1")
    limit.leave()
    try limit.enter()
  }

  @Test("C3: warnings") func warnings() {
    #expect(WarningHeader.values([#"unknown field "spec.foo""#]) == [#"299 - "unknown field \"spec.foo\"""#])
    #expect(WarningHeader.values(["a\nb"]) == [#"299 - "a b""#])
    let many = WarningHeader.values((0..<40).map { "\($0) " + String(repeating: "x", count: 400) })
    #expect(many.allSatisfy { $0.count <= 256 + 8 } && many.count == 16)
  }

  @Test("N11: the audit id is echoed when it is one") func auditID() {
    #expect(AuditID.of(HTTPRequest(method: "GET", path: "/", headers: ["Audit-ID": "abc-1"])) == "abc-1")
    let made = AuditID.of(HTTPRequest(method: "GET", path: "/", headers: ["Audit-ID": "a b\r\nX: y"]))
    #expect(made.count == 36 && made.split(separator: "-").count == 5)
  }

  @Test("K2: a log comes in pieces, rests when the client is slow, and ends", .timeLimit(.minutes(1))) func logBody() async {
    let pieces = Mutex(["one\n", "two\n", "three\n"])
    let stream = LogStream(
      next: { () async throws(AdapterError) in pieces.withLock { $0.isEmpty ? nil : Array($0.removeFirst().utf8) } }, cancel: {})
    let body = LogBody(stream, limit: 4)
    let (wakes, signal) = AsyncStream.makeStream(of: Void.self)
    body.start { signal.yield() }
    var text = ""
    for await _ in wakes {
      var isDone = false
      loop: while true {
        switch body.next() {
        case .bytes(let bytes): text += bytes.text
        case .end, .abort:
          isDone = true
          break loop
        case .wait: break loop
        }
      }
      if isDone { break }
    }
    #expect(text == "one\ntwo\nthree\n")
  }
}
