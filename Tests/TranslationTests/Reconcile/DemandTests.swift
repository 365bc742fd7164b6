import AdapterKit
import JSON
import OrderedCollections
import Testing

@testable import Translation

/// Live lists, and steps that are read one by one.
@Suite struct DemandTests {
  private func simulation(_ count: Int, incremental: Bool = false, _ latency: ClosedRange<Double> = 0.01...0.05) -> Simulation {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: incremental))
    simulation.latency = latency
    for i in 0..<count { simulation.engine.set("r\(100 + i)") { $0.steps = 1 } }
    simulation.start()
    simulation.run(for: 40)
    return simulation
  }

  @Test func withoutAFeedALiveListAsksForAllAlsoWhileRunsAreActive() {
    var simulation = simulation(30)
    simulation.engine.set("new") { _ in }
    simulation.engine.set("r129") { $0.raw = "changed" }
    let (moment, polls) = (simulation.now, simulation.polls.count)
    simulation.handle(.demand)
    #expect(simulation.polls.count == polls)
    simulation.run(for: 1)
    #expect(simulation.shown.contains("run-new") && simulation.raw("run-r129") == "changed")
    #expect(simulation.polls.count == polls + 1 && simulation.polls.last! == nil && simulation.pollsBegan.last! >= moment)
  }

  @Test func aSweepFromBeforeDoesNotAnswerForNow() {
    var simulation = simulation(30)
    simulation.engine.pageSize = 1
    simulation.handle(.demand)
    simulation.run(for: 0.1)
    let moment = simulation.now
    simulation.handle(.demand)
    simulation.run(for: 5)
    // Who asks is told when it began, and asks again (RefreshCoalescer).
    #expect(simulation.polls.count == 1 && simulation.pollsBegan[0] < moment)
  }

  @Test func manyLiveListsDoNotKeepTheEngineBusy() {
    var simulation = simulation(3, 0.5...0.5)
    let lists = simulation.engine.calls["list"]!
    for _ in 0..<100 {
      simulation.handle(.demand)
      simulation.run(for: 1)
    }
    // A sweep takes one second.
    #expect((15...25).contains(simulation.engine.calls["list"]! - lists))
  }

  @Test func whoWaitsForASweepIsToldThatTheEngineFails() {
    var simulation = simulation(3, 2...2)
    simulation.handle(.demand)
    simulation.run(for: 5)
    simulation.engine.isDown = true
    simulation.handle(.demand)
    simulation.run(for: 15)
    #expect(simulation.polls.last!?.code == .unavailable)
  }

  @Test func aPollThatDoesNotTellAllIsNotTheAnswer() {
    var simulation = simulation(3, incremental: true)
    simulation.engine.set("new") { _ in }
    simulation.engine.oldestMark = simulation.engine.change
    let polls = simulation.polls.count
    simulation.handle(.demand)
    while simulation.polls.count == polls { simulation.run(for: 0.005) }
    #expect(simulation.polls.last! == nil && simulation.shown.contains("run-new"))
  }

  @Test(arguments: [false, true], [false, true]) func allStepsOfRunsThatEndAtOnceAreReadInTheEnd(_ incremental: Bool, _ fails: Bool) async {
    var simulation = simulation(70, incremental: incremental)
    simulation.run(for: 60)
    #expect((100..<170).allSatisfy { simulation.steps("run-r\($0)") == 1 })
    let moment = simulation.now
    for i in 100..<170 { simulation.engine.set("r\(i)") { ($0.phase, $0.raw, $0.finished, $0.steps) = (.succeeded, "done", moment, 2) } }
    if fails {
      // What was queued is dropped when the engine fails.
      while simulation.raw("run-r169") != "done" { simulation.run(for: 0.005) }
      simulation.engine.isDown = true
      simulation.run(for: 60)
      simulation.engine.isDown = false
    }
    await simulation.pass(400)
    let steps = (100..<170).filter { simulation.steps("run-r\($0)") != 2 }
    #expect(steps.isEmpty)
    let gets = simulation.engine.calls["get"]!
    await simulation.pass(400)
    #expect(simulation.engine.calls["get"] == gets)
  }
}
