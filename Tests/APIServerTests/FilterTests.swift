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
    #expect(try Deadline.duration(["timeout": "-1s"], maximum: .seconds(60)) == .seconds(60))
    let bare = #expect(throws: StatusError.self) { try Deadline.duration(["timeout": "5"], maximum: .seconds(60)) }
    #expect(bare?.status.message == #"invalid timeout specified in the request URL - time: missing unit in duration "5""#)
  }

  @Test(
    "E1: work that is late is 504 without Retry-After, even when it does not heed cancellation; until its end it has its place",
    .timeLimit(.minutes(10)))
  func late() async throws {
    let clock = TestClock()
    let limit = InFlightLimit(readOnly: 1, mutating: 1)
    let place = try limit.enter(.mutating, now: clock.now)
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    let gate = Mutex<CheckedContinuation<Void, Never>?>(nil)
    async let result: StatusError? = {
      do {
        _ = try await Deadline.run(until: clock.now + .seconds(5), clock: clock, isWrite: true, place: place) {
          () async throws(StatusError) in
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
    // The client has its answer, the engine not yet its write: there is no room for the next one.
    place.leave()
    #expect(throws: StatusError.self) { _ = try limit.enter(.mutating, now: clock.now) }
    gate.withLock { $0 }?.resume()
    while (try? limit.enter(.mutating, now: clock.now)) == nil { await Task.yield() }
  }

  @Test("E1: above the limit it is 429 with Retry-After") func limit() throws {
    let limit = InFlightLimit(readOnly: 1, mutating: 1)
    let now = Samples.noon
    let first = try limit.enter(.readOnly, now: now)
    let error = #expect(throws: StatusError.self) { _ = try limit.enter(.readOnly, now: now) }
    #expect(error?.status.code == 429 && HTTPResponse(error!).headers["Retry-After"] == "1")
    #expect(error?.status.reason == "TooManyRequests" && error?.status.details?.retryAfterSeconds == 1)
    // Writes have a limit of their own, and system:masters none.
    try limit.enter(.mutating, now: now)
    let second = try limit.enter(.readOnly, isExempt: true, now: now)
    #expect(limit.recent(.readOnly, now: now) == 2 && limit.recent(.mutating, now: now) == 1)
    first.leave()
    second.leave()
    #expect(limit.recent(.readOnly, now: now + .seconds(1)) == 2 && limit.recent(.readOnly, now: now + .seconds(2)) == 0)
    try limit.enter(.readOnly, now: now)
  }

  @Test("0 is no limit") func noLimit() throws {
    let limit = InFlightLimit(readOnly: 0, mutating: 0)
    for _ in 0..<1000 { try limit.enter(.readOnly, now: Samples.noon) }
    #expect(InFlightLimit.Kind(verb: "list") == .readOnly && InFlightLimit.Kind(verb: "deletecollection") == .mutating)
  }

  @Test("watches are counted by user, and given back once") func watchLimit() throws {
    let limit = WatchLimit(2)
    let first = try limit.enter("jane")
    _ = try limit.enter("jane")
    #expect(throws: StatusError.self) { try limit.enter("jane") }
    _ = try limit.enter("bob")
    _ = try limit.enter("jane", isExempt: true)
    first.giveBack()
    first.giveBack()
    #expect(throws: StatusError.self) { try limit.enter("jane") }
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

  @Test("K2: a log comes in pieces, rests when the client is slow, and ends", .timeLimit(.minutes(10))) func logBody() async {
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
