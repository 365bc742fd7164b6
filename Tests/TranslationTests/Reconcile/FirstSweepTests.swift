import AdapterKit
import JSON
import OrderedCollections
import Testing

@testable import Translation

/// What is absent from a list is deleted by garbage collectors, so the first sweep after a start must not lack a run that was there all the time.
@Suite struct FirstSweepTests {
  private func simulation(incremental: Bool, _ count: Int, _ prepare: (inout ModelEngine) -> Void) -> Simulation {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: incremental))
    for i in 0..<count { simulation.engine.set("r\(100 + i)") { _ in } }
    prepare(&simulation.engine)
    simulation.start()
    while (simulation.engine.calls["list"] ?? 0) < 1 { simulation.run(for: 0.005) }
    return simulation
  }

  /// Lets the first sweep end. - Returns: what is shown as soon as anything may be.
  private func swept(_ simulation: inout Simulation) -> [String] {
    for _ in 0..<1000 where !simulation.reconciler.isSwept { simulation.run(for: 0.005) }
    return simulation.reconciler.isSwept ? simulation.shown : []
  }

  @Test(arguments: [false, true]) func rowsThatMoveBetweenItsPagesAreNotMissed(_ incremental: Bool) async {
    var simulation = simulation(incremental: incremental, 25) { $0.isPagedByOffset = true }
    simulation.engine.delete("r100")
    let shown = swept(&simulation)
    #expect(Set((1..<25).map { "run-r\(100 + $0)" }).isSubset(of: shown))
    // Twice is enough: the second time brings what the first one missed, the third one nothing.
    #expect(simulation.engine.calls["list"] == 9)
    await simulation.pass(1000)
    #expect(simulation.shown.count == 24 && simulation.deletions.allSatisfy { $0 == "run-r100" })
  }

  @Test(arguments: [false, true]) func aRunThatGoesToAListThatWasReadAlreadyIsNotMissed(_ incremental: Bool) {
    var simulation = simulation(incremental: incremental, 3) { engine in
      engine.listsFinishedApart = true
      engine.set("retried") { ($0.phase, $0.finished) = (.succeeded, at(-10)) }
    }
    simulation.engine.set("retried") { ($0.attempt, $0.phase, $0.finished) = (2, .running, nil) }
    #expect(swept(&simulation) == ["run-r100", "run-r101", "run-r102", "run-retried"])
  }

  @Test func withAFeedOfChangesOnePassIsEnough() {
    var simulation = simulation(incremental: true, 25) { _ in }
    simulation.engine.set("r999") { _ in }
    simulation.engine.set("r099") { _ in }
    #expect(swept(&simulation).count == 27 && simulation.engine.calls["list"] == 3)
    #expect(simulation.engine.calls["changes"] == 2)
  }

  @Test func anEngineThatNeverStandsStillIsNotWaitedFor() async {
    var simulation = simulation(incremental: false, 15) { $0.isPagedByOffset = true }
    for i in 0..<1000 where !simulation.reconciler.isSwept {
      if i % 8 == 0 { await Task.yield() }
      simulation.engine.set("s\(1000 + i)") { ($0.phase, $0.finished) = (.succeeded, at(0)) }
      simulation.run(for: 0.01)
    }
    #expect(simulation.reconciler.isSwept && simulation.shown.count > 15)
  }

  @Test(arguments: [false, true]) func aFeedThatFailsIsReplacedByAnotherPass(_ isRefused: Bool) {
    var simulation = simulation(incremental: true, 25) { $0.refusesOldMarks = isRefused }
    simulation.engine.set("r050") { _ in }
    simulation.engine.oldestMark = simulation.engine.change
    #expect(swept(&simulation).contains("run-r050"))
    simulation.run(for: 400)
    #expect(simulation.shown.count == 26 && simulation.deletions.isEmpty)
  }

  @Test func aPollThatBeganBeforeTheLastPageIsNotEnough() {
    var reconciler = Reconciler(
      binding: "b", settings: ReconcilerSettings(), abilities: ReconcilerAbilities(incremental: true), now: at(0))
    func asks(_ input: ReconcilerInput, _ moment: Double) -> [String] {
      reconciler.handle(input, now: at(moment), random: 0.5).compactMap {
        switch $0 {
        case .list: "list"
        case .changes: "changes"
        case .settle: "settle"
        default: nil
        }
      }
    }
    let empty = ChangePage(observations: [], mark: 1)
    #expect(asks(.start, 0) == ["changes"])
    #expect(asks(.changes(.success(empty), CallTimes(began: at(0), ended: at(1))), 1) == ["list"])
    // Somebody watches: a poll begins while the list is read.
    #expect(asks(.watched(true), 2) == ["changes"])
    #expect(asks(.page(.success(RunPage(observations: [])), CallTimes(began: at(1), ended: at(3))), 3).isEmpty)
    #expect(asks(.changes(.success(empty), CallTimes(began: at(2), ended: at(4))), 4) == ["changes"])
    #expect(asks(.changes(.success(empty), CallTimes(began: at(4), ended: at(5))), 5) == ["settle"])
    #expect(!reconciler.isSwept)
    _ = asks(.settled(sweepRows: true), 5)
    #expect(reconciler.isSwept)
  }
}
