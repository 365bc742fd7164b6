import AdapterKit
import JSON
import KubeWire
import OrderedCollections
import Testing

@testable import Translation

@Suite struct ReconcilerTests {
  private func simulation(_ count: Int, incremental: Bool = false, sweep: Double = 300) -> Simulation {
    var simulation = Simulation(
      abilities: ReconcilerAbilities(incremental: incremental), settings: ReconcilerSettings(sweepInterval: .seconds(sweep)))
    for i in 0..<count { simulation.engine.set("r\(String(100 + i))") { _ in } }
    simulation.start()
    simulation.run(for: 2)
    return simulation
  }

  @Test(arguments: [false, true]) func theFirstSweepLoadsWithoutEvents(_ incremental: Bool) {
    let simulation = simulation(25, incremental: incremental)
    #expect(simulation.reconciler.isSwept && simulation.shown.count == 25)
    #expect(simulation.conditions?.synced.status == true && simulation.conditions?.reachable.status == true)
    #expect(simulation.store.notReady(.workflows, namespace: "default").isEmpty)
    #expect(simulation.store.objects[.workflows].window.events(from: 0).allSatisfy { $0.kind == .modified })
  }

  @Test(arguments: [false, true]) func changesAreSeenByThePoll(_ incremental: Bool) {
    var simulation = simulation(3, incremental: incremental)
    simulation.engine.set("r100") { ($0.phase, $0.raw, $0.finished) = (.succeeded, "done", at(3)) }
    simulation.run(for: 12)
    #expect(simulation.raw("run-r100") == "done")
    simulation.engine.set("new") { _ in }
    simulation.run(for: 60)
    #expect(simulation.shown.contains("run-new"))
  }

  @Test func envelopesThatRowsDoNotTellAreReadOneByOneFirst() {
    var simulation = Simulation()
    simulation.engine.rowsLackEnvelope = true
    for i in 0..<15 { simulation.engine.set("r\(i)") { _ in } }
    simulation.start()
    simulation.run(for: 0.2)
    #expect(!simulation.reconciler.isSwept)
    simulation.run(for: 5)
    #expect(simulation.reconciler.isSwept && simulation.shown.count == 15)
  }

  @Test func overlaysThatAreKeptApartAreReadBeforeAnythingIsShown() {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: true, overlaysApart: true))
    for i in 1...6 {
      simulation.engine.set("\(i)") { $0.envelope = .present(testEnvelope("wf-\(i)", at: at(0))) }
      if i > 1 { simulation.engine.overlays["uid-wf-\(i)"] = ["hidden": .bool(i < 6)] }
    }
    simulation.start()
    simulation.run(for: 3)
    #expect(simulation.engine.calls["overlays"] == 3 && simulation.reconciler.isSwept)
    #expect(simulation.shown == ["wf-1", "wf-6"])
    simulation.engine.overlays["uid-wf-1"] = ["hidden": true]
    simulation.run(for: 400)
    #expect(simulation.deletions == ["wf-1"])
  }

  /// A run that ended a day before the window begins.
  private static func old(_ run: inout ModelEngine.Run, _ name: String) {
    let moment = at(-8 * 86_400)
    (run.phase, run.created, run.finished) = (.succeeded, moment, moment)
    run.envelope = .present(testEnvelope(name, at: moment))
  }

  @Test func whatIsHeldIsThereAfterARestartHoweverOld() {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: true, overlaysWithRuns: true))
    for (id, overlay) in [
      ("plain", .absent), ("held", .present(["finalizers": ["x"]])), ("released", .present(["finalizers": []])),
      ("dying", .present(["deletionTimestamp": "2026-11-22T00:00:00Z"])),
    ] as [(String, Facet<JSONValue>)] {
      simulation.engine.set(id) {
        Self.old(&$0, id)
        $0.overlay = overlay
      }
    }
    for (id, overlay) in [("made", .absent), ("undone", .present(["finalizers": []]))] as [(String, Facet<JSONValue>)] {
      simulation.engine.set(id) {
        Self.old(&$0, id)
        guard case .present(var envelope) = $0.envelope else { return }
        envelope["finalizers"] = ["x"]
        ($0.envelope, $0.overlay) = (.present(envelope), overlay)
      }
    }
    simulation.start()
    simulation.run(for: 2)
    #expect(simulation.reconciler.isSwept && simulation.shown == ["dying", "held", "made"])
    simulation.run(for: 1000)
    #expect(simulation.shown == ["dying", "held", "made"] && simulation.deletions.isEmpty)
    // Its last finalizer goes, and then it, for its window is long over.
    simulation.engine.set("held") { $0.overlay = .absent }
    simulation.run(for: 120)
    #expect(simulation.deletions == ["held"])
  }

  @Test(arguments: [false, true]) func overlaysThatAreKeptApartTellWhetherToReachBack(_ isHeld: Bool) {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: true, overlaysApart: true))
    for i in 1...5 { simulation.engine.set("\(i)") { Self.old(&$0, "wf-\(i)") } }
    simulation.engine.set("6") { $0.envelope = .present(testEnvelope("wf-6", at: at(0))) }
    simulation.engine.overlays["uid-wf-6"] = ["finalizers": ["x"]]
    if isHeld {
      simulation.engine.overlays["uid-wf-2"] = ["finalizers": ["x"]]
      simulation.engine.overlays["uid-wf-3"] = ["deletionTimestamp": "2026-11-22T00:00:00Z"]
      simulation.engine.overlays["uid-wf-4"] = ["labels": ["a": "b"]]
    }
    simulation.start()
    simulation.run(for: 3)
    #expect(simulation.engine.calls["list"] == (isHeld ? 2 : 1) && simulation.reconciler.isSwept)
    #expect(simulation.shown == (isHeld ? ["wf-2", "wf-3", "wf-6"] : ["wf-6"]))
    simulation.run(for: 1000)
    #expect(simulation.shown == (isHeld ? ["wf-2", "wf-3", "wf-6"] : ["wf-6"]) && simulation.deletions.isEmpty)
  }

  @Test func aSweepEndsOnlyWhenItsOwnRowsAreInTheStore() throws {
    var reconciler = Reconciler(binding: "b", settings: ReconcilerSettings(), abilities: ReconcilerAbilities(), now: at(0))
    _ = reconciler.handle(.start, now: at(0), random: 0.5)
    let page = RunPage(observations: [], next: nil)
    let read = reconciler.handle(.page(.success(page), CallTimes(began: at(0), ended: at(1))), now: at(1), random: 0.5)
    #expect(read.contains { if case .settle(sweepRows: true) = $0 { true } else { false } })
    // The read of a run ends on another thread before the rows are learnt.
    _ = reconciler.handle(.settled(sweepRows: false), now: at(1), random: 0.5)
    #expect(!reconciler.isSwept)
    _ = reconciler.handle(.settled(sweepRows: true), now: at(1), random: 0.5)
    #expect(reconciler.isSwept)
  }

  @Test(arguments: [false, true]) func aMarkThatIsWorthNothingCostsOneSweep(_ isRefused: Bool) {
    var simulation = simulation(3, incremental: true, sweep: 100_000)
    simulation.handle(.watched(true))
    simulation.run(for: 20)
    // What changes now is told by no poll.
    simulation.engine.set("r100") { $0.raw = "changed" }
    simulation.engine.set("new") { _ in }
    simulation.engine.delete("r102")
    simulation.engine.oldestMark = simulation.engine.change
    simulation.engine.refusesOldMarks = isRefused
    let sweeps = simulation.engine.calls["list"]!
    simulation.run(for: 60)
    #expect(simulation.raw("run-r100") == "changed" && simulation.shown.contains("run-new") && simulation.deletions == ["run-r102"])
    simulation.run(for: 600)
    #expect(simulation.engine.calls["list"]! - sweeps <= 2)
  }

  @Test func aMarkThatComesAfterTheSweepBeganIsFollowedByAnother() {
    var reconciler = Reconciler(
      binding: "b", settings: ReconcilerSettings(), abilities: ReconcilerAbilities(incremental: true), now: at(0))
    func lists(_ input: ReconcilerInput, _ moment: Double) -> Int {
      reconciler.handle(input, now: at(moment), random: 0.5).filter { if case .list = $0 { true } else { false } }.count
    }
    _ = reconciler.handle(.start, now: at(0), random: 0.5)
    let times = CallTimes(began: at(0), ended: at(1))
    let first = lists(.changes(.failure(AdapterError(.invalid, "not now")), times), 1)
    _ = lists(.page(.success(RunPage(observations: [], next: nil)), times), 2)
    _ = lists(.settled(sweepRows: true), 2)
    // The next poll, and with it the first mark.
    _ = lists(.timer, 60)
    let second = lists(.changes(.success(ChangePage(observations: [], mark: 1)), times), 61)
    #expect(first == 1 && second == 1 && reconciler.isSwept)
  }

  @Test func aLiveListWithoutActiveRunsAsksTheEngine() {
    var simulation = Simulation(settings: ReconcilerSettings(pollInterval: .zero))
    simulation.engine.set("1") { ($0.phase, $0.finished) = (.succeeded, at(0)) }
    simulation.start()
    simulation.run(for: 5)
    simulation.engine.set("2") { _ in }
    simulation.handle(.demand)
    #expect(simulation.polls.isEmpty)
    simulation.run(for: 1)
    #expect(simulation.polls.count == 1 && simulation.polls.last! == nil && simulation.shown.contains("run-2"))
  }

  // MARK: Absence

  @Test(arguments: [false, true]) func aDeletedRunGoesAfterProof(_ incremental: Bool) {
    var simulation = simulation(5, incremental: incremental)
    simulation.engine.delete("r102")
    simulation.run(for: incremental ? 8 : 400)
    #expect(simulation.deletions == ["run-r102"] && simulation.shown.count == 4)
  }

  @Test func withPollingOffA404IsReasonEnoughToLookAtAll() {
    var simulation = Simulation(settings: ReconcilerSettings(pollInterval: .zero))
    for id in ["1", "2"] { simulation.engine.set(id) { _ in } }
    simulation.start()
    simulation.run(for: 100)
    simulation.engine.delete("2")
    simulation.handle(
      .got(RunKey(id: "2"), simulation.engine.get(RunKey(id: "2")), CallTimes(began: simulation.now, ended: simulation.now)))
    simulation.run(for: 5)
    #expect(simulation.deletions == ["run-2"])
    let calls = simulation.engine.calls
    simulation.run(for: 3600)
    #expect(simulation.engine.calls == calls)
  }

  @Test func missingFromTheListButAnsweringIsThere() async {
    var simulation = simulation(5)
    simulation.engine.unlisted = ["r101"]
    await simulation.pass(2000)
    #expect(simulation.deletions.isEmpty && simulation.shown.count == 5)
  }

  @Test func a404WhoseParentCannotBeReadProvesNothing() async {
    var simulation = simulation(5)
    simulation.engine.unlisted = ["r101"]
    simulation.engine.unseen = ["r101"]
    simulation.engine.parentIsReadable = false
    await simulation.pass(2000)
    #expect(simulation.deletions.isEmpty)
    simulation.engine.parentIsReadable = true
    await simulation.pass(700)
    #expect(simulation.deletions == ["run-r101"])
  }

  @Test func a404ThatTheListContradictsProvesNothing() async {
    var simulation = simulation(5)
    simulation.engine.unseen = ["r101"]
    await simulation.pass(2000)
    #expect(simulation.deletions.isEmpty)
  }

  @Test func anIncompleteSweepProvesNothing() async {
    var simulation = simulation(5)
    simulation.engine.unreadableRows = ["row 3: no id"]
    simulation.engine.delete("r103")
    await simulation.pass(2000)
    #expect(simulation.deletions.isEmpty && simulation.conditions?.synced.reason == "UnreadableRuns")
    simulation.engine.unreadableRows = []
    await simulation.pass(700)
    #expect(simulation.deletions == ["run-r103"])
  }

  @Test func theFirstSweepHasToUnderstandEveryRow() {
    var simulation = Simulation()
    simulation.engine.set("1") { _ in }
    simulation.engine.unreadableRows = ["row 3: no id"]
    simulation.start()
    simulation.run(for: 2000)
    #expect(!simulation.reconciler.isSwept && simulation.store.notReady(.workflows, namespace: "default") == ["b"])
    #expect(simulation.conditions?.synced.status == false && simulation.conditions?.synced.reason == "UnreadableRuns")
    #expect(simulation.conditions?.synced.message.contains("row 3: no id") ?? false)
    simulation.engine.unreadableRows = []
    simulation.run(for: 70)
    #expect(simulation.reconciler.isSwept && simulation.conditions?.synced.status == true)
  }

  @Test func anEngineThatIsDownDeletesNothing() {
    var simulation = simulation(5)
    simulation.engine.isDown = true
    simulation.run(for: 3000)
    #expect(simulation.deletions.isEmpty && simulation.shown.count == 5)
    #expect(simulation.conditions?.reachable.status == false && simulation.conditions?.synced.reason == "Unreachable")
    let calls = simulation.engine.calls.values.reduce(0, +)
    #expect(calls < 60)
    simulation.engine.isDown = false
    simulation.engine.set("r100") { $0.raw = "back" }
    simulation.run(for: 60)
    #expect(simulation.raw("run-r100") == "back" && simulation.conditions?.synced.status == true)
  }

  @Test func aSuspiciousShrinkIsHeldUntilThreeSweepsAgree() async {
    var simulation = simulation(60, sweep: 400)
    for i in 0..<40 { simulation.engine.delete("r\(100 + i)") }
    await simulation.pass(500)
    #expect(simulation.deletions.isEmpty && simulation.conditions?.synced.reason == "SuspiciousShrink")
    await simulation.pass(300)
    #expect(simulation.deletions.isEmpty)
    await simulation.pass(1500)
    #expect(simulation.deletions.count == 40 && simulation.conditions?.synced.status == true)
  }

  @Test func aShrinkThatSamplesContradictIsNeverAccepted() async {
    var simulation = simulation(60, sweep: 400)
    simulation.engine.unlisted = Set((0..<40).map { "r\(100 + $0)" })
    await simulation.pass(5000)
    #expect(simulation.deletions.isEmpty && simulation.conditions?.synced.reason == "SuspiciousShrink")
    simulation.engine.unlisted = []
    await simulation.pass(500)
    #expect(simulation.conditions?.synced.status == true)
  }

  @Test func theOperatorsWordEndsAHeldShrink() async {
    var simulation = simulation(60, sweep: 400)
    for i in 0..<40 { simulation.engine.delete("r\(100 + i)") }
    await simulation.pass(500)
    #expect(simulation.deletions.isEmpty)
    simulation.handle(.acceptShrink)
    simulation.run(for: 30)
    #expect(simulation.deletions.count == 40)
  }

  @Test func whatTheListDoesNotReachIsNotJudgedByIt() {
    var simulation = Simulation(abilities: ReconcilerAbilities(listReachAge: .seconds(3600)))
    simulation.engine.set("old") { ($0.phase, $0.finished, $0.created) = (.succeeded, at(-100), at(-4000)) }
    simulation.engine.set("young") { _ in }
    simulation.start()
    simulation.run(for: 2)
    simulation.engine.delete("old")
    simulation.engine.delete("young")
    simulation.run(for: 700)
    #expect(simulation.deletions == ["run-young"])
  }

  @Test func anActiveRunOlderThanTheWindowIsJudgedToo() {
    var simulation = Simulation()
    simulation.engine.set("old") { $0.created = at(-30 * 86_400) }
    simulation.engine.set("young") { _ in }
    simulation.start()
    simulation.run(for: 2)
    simulation.engine.delete("old")
    simulation.run(for: 400)
    #expect(simulation.deletions == ["run-old"])
  }

  @Test func aSightingAfterThe404CancelsTheProof() {
    var absence = Absence()
    let key = RunKey(id: "1")
    let answers = [absence.named(key), absence.missing(key, now: at(10))]
    #expect(answers == [true, true])
    absence.sighted(key, at: at(9))
    #expect(absence.concerns(key))
    absence.sighted(key, at: at(11))
    let isGone = absence.parent(key, isReadable: true, now: at(12))
    #expect(!isGone)
  }

  // MARK: The rest

  @Test func backOffGrowsHeedsRetryAfterAndHasOneProbe() {
    var breaker = Breaker()
    var delays: [Duration] = []
    var now = at(0)
    for _ in 0..<8 {
      breaker.failed(AdapterError(.unavailable, "down"), now: now, random: 0.5)
      delays.append(breaker.openUntil! - now)
      let open = breaker.openUntil!
      breaker.failed(AdapterError(.unavailable, "down too"), now: now + .milliseconds(1), random: 0.5)
      #expect(breaker.openUntil == open)
      now = open
      let probes = [breaker.beginProbe(now: open - .milliseconds(1)), breaker.beginProbe(now: now), breaker.beginProbe(now: now)]
      #expect(probes == [false, true, false])
    }
    #expect(delays == [1, 2, 4, 8, 16, 30, 30, 30].map { Duration.seconds($0) })
    breaker.failed(AdapterError(.rateLimited, "slow down", retryAfter: .seconds(120)), now: now, random: 0)
    #expect(breaker.openUntil == now + .seconds(120) && !breaker.mayTryLive(now: now + .seconds(60)))
    breaker.succeeded()
    #expect(breaker.isClosed)
  }

  @Test func aRunOlderThanItsTimeoutIsCancelled() {
    var simulation = Simulation(abilities: ReconcilerAbilities(cancelsTimedOut: true))
    simulation.engine.set("1") { $0.envelope = .present(testEnvelope("short", at: at(0), timeout: 100)) }
    simulation.engine.set("2") { $0.envelope = .present(testEnvelope("long", at: at(0), timeout: 10_000)) }
    simulation.start()
    simulation.run(for: 90)
    #expect(simulation.cancelled.isEmpty)
    simulation.run(for: 12)
    #expect(simulation.cancelled == ["1"] && simulation.raw("short") == "cancelled")
    simulation.run(for: 100)
    #expect(simulation.cancelled == ["1"])
  }

  @Test func withPollingOffOnlyDemandReads() {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: true), settings: ReconcilerSettings(pollInterval: .zero))
    simulation.engine.set("1") { _ in }
    simulation.start()
    simulation.run(for: 5)
    #expect(simulation.reconciler.isSwept)
    let calls = simulation.engine.calls
    simulation.engine.set("1") { $0.raw = "changed" }
    simulation.run(for: 3600)
    #expect(simulation.engine.calls == calls && simulation.raw("run-1") == "r0")
    simulation.handle(.demand)
    simulation.run(for: 1)
    #expect(simulation.raw("run-1") == "changed" && simulation.polls.last! == nil)
  }

  @Test(arguments: [false, true]) func anOwnWriteIsFollowedCloselyForAWhile(_ incremental: Bool) {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: incremental), settings: ReconcilerSettings(pollInterval: .zero))
    simulation.engine.set("1") { _ in }
    simulation.start()
    simulation.run(for: 5)
    simulation.handle(.wake)
    simulation.run(for: 2)
    simulation.engine.set("1") { ($0.phase, $0.raw, $0.finished) = (.failed, "cancelled", at(7)) }
    simulation.run(for: 3)
    #expect(simulation.raw("run-1") == "cancelled")
    simulation.run(for: 30)
    let calls = simulation.engine.calls
    simulation.run(for: 3600)
    #expect(simulation.engine.calls == calls)
  }

  @Test func idleBindingsAskLessOften() {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: true))
    simulation.engine.set("1") { ($0.phase, $0.finished) = (.succeeded, at(0)) }
    simulation.start()
    simulation.run(for: 600)
    let idle = simulation.engine.calls["changes"]!
    simulation.handle(.watched(true))
    simulation.run(for: 600)
    #expect(idle < 30 && simulation.engine.calls["changes"]! - idle > 100)
  }

  /// The whole machine, from one seed, twice: the same bytes; and in the end what is shown is what is there.
  @Test(arguments: 1...4 as ClosedRange<UInt64>, [false, true])
  func aHistoryIsItsSeed(_ seed: UInt64, _ incremental: Bool) async {
    func history() async -> (events: [[UInt8]], shown: [String: String], there: [String: String], deletedAlive: [String]) {
      var simulation = Simulation(
        seed: seed, abilities: ReconcilerAbilities(incremental: incremental), settings: ReconcilerSettings(sweepInterval: .seconds(120)))
      var random = SplitMix(seed &* 77)
      simulation.latency = 0.01...3
      simulation.start()
      var wronglyDeleted: [String] = []
      for step in 0..<100 {
        let id = "r\(Int.random(in: 0..<12, using: &random))"
        switch Int.random(in: 0..<10, using: &random) {
        case 0: simulation.engine.delete(id)
        case 1: simulation.engine.isDown.toggle()
        case 2: simulation.engine.unlisted = [id]
        case 3: simulation.engine.unlisted = []
        case 4 where simulation.engine.runs[id]?.phase.isTerminal ?? false:
          simulation.engine.set(id) { ($0.attempt, $0.phase, $0.finished) = ($0.attempt + 1, .running, nil) }
        case 5:
          let moment = simulation.now
          simulation.engine.set(id) { ($0.phase, $0.raw, $0.finished) = (.succeeded, "s\(step)", moment) }
        default:
          if simulation.engine.runs[id]?.phase.isTerminal != true {
            simulation.engine.set(id) { ($0.raw, $0.steps) = ("r\(step)", step % 4) }
          }
        }
        let before = simulation.told.count
        await Task.yield()
        let alive = Set(simulation.engine.runs.map { "foreign-b-\($0.key)#\($0.value.life)" })
        simulation.run(for: Double.random(in: 0.1...30, using: &random))
        for event in simulation.told[before...] where event.kind == .deleted {
          if alive.contains(event.object.draft.uid) { wronglyDeleted.append("\(event.object.draft.uid) at step \(step)") }
        }
      }
      simulation.engine.isDown = false
      simulation.engine.unlisted = []
      await simulation.pass(2000)
      let shown = simulation.store.objects[.workflows].objects.map {
        ($0.draft.name, $0.draft.content["status"]!["raw"]!.string! + " " + String($0.draft.content["status"]!["attempt"]!.int!))
      }
      let there = simulation.engine.runs.map { ("run-\($0.key)", "\($0.value.raw) \($0.value.attempt)") }
      let events = simulation.told.map { Array($0.kind.rawValue.utf8) + $0.object.json }
      return (events, Dictionary(uniqueKeysWithValues: shown), Dictionary(uniqueKeysWithValues: there), wronglyDeleted)
    }
    let first = await history()
    let second = await history()
    #expect(first.events == second.events && !first.events.isEmpty)
    #expect(first.shown == first.there)
    #expect(first.deletedAlive.isEmpty)
  }
}
