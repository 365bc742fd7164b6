import AdapterKit
import JSON
import Testing

@Suite struct ValueTests {
  @Test func positionsOfOneKindAreOrderedAndOthersAreNot() {
    #expect(
      EngineOrder.sequence(1) < .sequence(2) && !(EngineOrder.sequence(2) < .sequence(1)) && !(EngineOrder.sequence(1) < .sequence(1)))
    #expect(EngineOrder.sequence(-1) < .sequence(0))
    let (early, late) = (Timestamp("2026-11-22T19:07:13Z")!, Timestamp("2026-11-22T19:07:13.000001Z")!)
    #expect(EngineOrder.time(early) < .time(late) && !(EngineOrder.time(late) < .time(early)))
    // An engine that changes its mind says nothing: neither is newer, and they are not equal.
    #expect(!(EngineOrder.sequence(1) < .time(late)) && !(EngineOrder.time(late) < .sequence(1)) && EngineOrder.sequence(1) != .time(late))
  }

  @Test func unseenIsNotAbsent() {
    let facets: [Facet<JSONValue>] = [.unseen, .absent, .present(.null), .present([:])]
    for (i, a) in facets.enumerated() { for (j, b) in facets.enumerated() { #expect((a == b) == (i == j)) } }
    let observation = Observation(key: RunKey(id: "7"), identity: "7", attempt: .unknown)
    #expect(
      observation.core == .unseen && observation.envelope == .unseen && observation.overlay == .unseen && observation.steps == .unseen)
    #expect(observation.order == nil && !observation.isRebuild)
  }

  @Test func keysAreWrittenWithTheirParent() {
    #expect(RunKey(id: "7").description == "7")
    #expect(RunKey(parent: "dag", id: "7").description == "dag/7")
    #expect(RunKey(id: "7") != RunKey(kind: .schedule, id: "7"))
  }

  @Test func terminalPhases() { #expect(RunPhase.allCases.filter(\.isTerminal) == [.succeeded, .failed]) }

  @Test func headersAreFoundWithoutCase() {
    let response = TransportResponse(status: 200, headers: [("Retry-After", "1"), ("retry-after", "2")])
    #expect(response.header("RETRY-AFTER") == "1" && response.header("retry") == nil)
  }
}
