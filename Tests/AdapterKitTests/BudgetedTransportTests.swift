import AdapterKit
import Testing

@Suite(.timeLimit(.minutes(10))) struct BudgetedTransportTests {
  private let clock = SteppedClock()

  private struct TooLate: Error {}

  /// Lets other tasks run until the condition holds; ends the test when that does not come.
  private func until(_ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while !condition() {
      guard ContinuousClock.now < deadline else { throw TooLate() }
      await Task.yield()
    }
  }

  /// Gives other tasks every chance to do what they must not do.
  private func settle() async { for _ in 0..<200 { await Task.yield() } }

  private func sending(_ transport: BudgetedTransport, _ url: String, method: String = "GET") -> Task<TransportError.Code?, Never> {
    Task {
      do throws(TransportError) {
        _ = try await transport.send(TransportRequest(method: method, url: url))
        return nil
      } catch { return error.code }
    }
  }

  /// One at a time into the queue, so that the order is known.
  private func queued(_ transport: BudgetedTransport, _ urls: [String]) async throws -> [Task<TransportError.Code?, Never>] {
    var tasks: [Task<TransportError.Code?, Never>] = []
    for url in urls {
      let waiting = transport.waiting
      tasks.append(sending(transport, url))
      try await until { transport.waiting == waiting + 1 }
    }
    return tasks
  }

  @Test func noMoreAtOnceThanAllowedAndInOrder() async throws {
    let held = HeldTransport()
    let transport = BudgetedTransport(held, maximumConcurrent: 2, requestsPerSecond: 1e9, clock: clock)
    clock.advance(by: .seconds(1))
    let first = [sending(transport, "a"), sending(transport, "b")]
    try await until { held.inProgress == 2 }
    let rest = try await queued(transport, ["c", "d", "e", "f"])
    await settle()
    #expect(held.inProgress == 2 && transport.waiting == 4)
    for (ended, begun) in [("b", "c"), ("a", "d"), ("c", "e"), ("d", "f")] {
      held.release(ended)
      try await until { held.started.last == begun }
      #expect(held.inProgress == 2)
    }
    held.release("e")
    held.release("f")
    for task in first + rest { #expect(await task.value == nil) }
    #expect(held.most == 2 && transport.waiting == 0)
  }

  @Test func givingUpWhileWaitingLeavesTheQueueAtOnce() async throws {
    let held = HeldTransport()
    let transport = BudgetedTransport(held, maximumConcurrent: 1, requestsPerSecond: 1e9, clock: clock)
    clock.advance(by: .seconds(1))
    let first = sending(transport, "a")
    try await until { held.inProgress == 1 }
    let rest = try await queued(transport, ["b", "c", "d"])
    rest[1].cancel()
    #expect(await rest[1].value == .cancelled)
    #expect(transport.waiting == 2)
    held.release("a")
    try await until { held.started == ["a", "b"] }
    held.release("b")
    try await until { held.started == ["a", "b", "d"] }
    held.release("d")
    for task in [first, rest[0], rest[2]] { #expect(await task.value == nil) }
    // Nothing of it is left: the place is free.
    let last = sending(transport, "e")
    try await until { held.inProgress == 1 }
    held.release("e")
    #expect(await last.value == nil)
  }

  @Test func aTaskThatIsCancelledAlreadyNeverSends() async throws {
    let held = HeldTransport()
    let transport = BudgetedTransport(held, maximumConcurrent: 1, requestsPerSecond: 1e9, clock: clock)
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      do throws(TransportError) {
        _ = try await transport.send(TransportRequest(method: "GET", url: "a"))
        return true
      } catch { return error.mayHaveBeenSent }
    }
    task.cancel()
    #expect(await task.value == false)
    #expect(held.started.isEmpty)
  }

  @Test func aFailureFreesThePlace() async throws {
    let held = HeldTransport(holding: false)
    let transport = BudgetedTransport(held, maximumConcurrent: 1, requestsPerSecond: 1e9, clock: clock)
    clock.advance(by: .seconds(1))
    for _ in 0..<3 { #expect(await sending(transport, "a", method: "FAIL").value == .broken) }
    #expect(held.started.count == 3)
  }

  @Test func aStreamCountsUntilItsHeadIsThere() async throws {
    let held = HeldTransport()
    let transport = BudgetedTransport(held, maximumConcurrent: 1, requestsPerSecond: 1e9, clock: clock)
    clock.advance(by: .seconds(1))
    let opening = Task { try await transport.stream(TransportRequest(method: "GET", url: "log")) }
    try await until { held.inProgress == 1 }
    let next = try await queued(transport, ["a"])[0]
    held.release("log")
    let stream = try await opening.value
    try await until { held.started == ["log", "a"] }
    held.release("a")
    #expect(await next.value == nil)
    #expect(try await stream.next() == nil)
  }

  @Test func aPauseSavesUpTwentyStartsThenTheyAreSpaced() async throws {
    let held = HeldTransport(holding: false)
    let transport = BudgetedTransport(held, maximumConcurrent: 100, requestsPerSecond: 10, clock: clock)
    clock.advance(by: .seconds(3600))
    let tasks = (0..<25).map { sending(transport, "\($0)") }
    try await until { held.started.count == 20 && clock.sleepers == 5 }
    await settle()
    #expect(held.started.count == 20)
    for count in 21...25 {
      clock.advance(by: .milliseconds(99))
      await settle()
      #expect(held.started.count == count - 1)
      clock.advance(by: .milliseconds(1))
      try await until { held.started.count == count }
    }
    for task in tasks { #expect(await task.value == nil) }
    // A pause of half a second saves five.
    clock.advance(by: .milliseconds(500))
    let more = (0..<8).map { sending(transport, "\($0)") }
    try await until { held.started.count == 30 && clock.sleepers == 3 }
    clock.advance(by: .milliseconds(300))
    try await until { held.started.count == 33 }
    for task in more { #expect(await task.value == nil) }
  }

  @Test func withoutAPauseNothingIsSavedUp() async throws {
    let held = HeldTransport(holding: false)
    let transport = BudgetedTransport(held, maximumConcurrent: 100, requestsPerSecond: 10, clock: clock)
    let tasks = (0..<3).map { sending(transport, "\($0)") }
    try await until { held.started.count == 1 && clock.sleepers == 2 }
    clock.advance(by: .milliseconds(200))
    for task in tasks { #expect(await task.value == nil) }
  }

  @Test func spacedRequestsKeepTheirOrder() async throws {
    let held = HeldTransport(holding: false)
    let transport = BudgetedTransport(held, maximumConcurrent: 1, requestsPerSecond: 1, clock: clock)
    var tasks = [sending(transport, "a")]
    try await until { held.started == ["a"] }
    _ = await tasks[0].value
    tasks = [sending(transport, "b")]
    try await until { clock.sleepers == 1 }
    tasks += try await queued(transport, ["c", "d", "e"])
    for count in 2...5 {
      try await until { clock.sleepers == 1 }
      clock.advance(by: .seconds(1))
      try await until { held.started.count == count }
    }
    for task in tasks { #expect(await task.value == nil) }
    #expect(held.started == ["a", "b", "c", "d", "e"])
  }

  /// However many give up, who comes next waits no longer than if they had never come.
  @Test func givingUpWhileSpacedPutsOffNobody() async throws {
    let held = HeldTransport(holding: false)
    let transport = BudgetedTransport(held, maximumConcurrent: 4, requestsPerSecond: 1, clock: clock)
    #expect(await sending(transport, "first").value == nil)
    for _ in 0..<50 {
      let tasks = (0..<4).map { sending(transport, "never\($0)") }
      try await until { clock.sleepers == 4 }
      for task in tasks { task.cancel() }
      for task in tasks { #expect(await task.value == .cancelled) }
    }
    let last = sending(transport, "last")
    try await until { clock.sleepers == 1 }
    clock.advance(by: .seconds(1))
    try await until { held.started == ["first", "last"] }
    #expect(await last.value == nil)
  }

  @Test func senselessBudgetsAreMadeUsable() async throws {
    let held = HeldTransport(holding: false)
    for rate in [0, -1] {
      let transport = BudgetedTransport(held, maximumConcurrent: -3, requestsPerSecond: Double(rate), clock: clock)
      #expect(await sending(transport, "a").value == nil)
    }
  }
}
