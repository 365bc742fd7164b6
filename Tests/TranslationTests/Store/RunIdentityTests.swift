import AdapterKit
import JSON
import KubeWire
import OrderedCollections
import Synchronization
import Testing

@testable import Translation

/// Names and uids are the same after a restart, whatever the engine's clock, and no copy of an envelope gets those of the run that it was made for.
@Suite struct RunIdentityTests {
  private static let window = 1000.0

  private static func store(enforcesKeys: Bool = false, projection: any RunProjecting = TestProjection()) -> RunStore {
    RunStore(
      objects: emptyStore(),
      bindings: [
        BindingSettings(id: "b", namespaces: ["default"], window: .seconds(Int64(window)), enforcesSubmissionKeys: enforcesKeys)
      ], projection: projection)
  }

  /// A gateway that begins now and sees these runs in its first sweep.
  private static func restarted(_ rows: [Observed], enforcesKeys: Bool = false) -> RunStore {
    var store = store(enforcesKeys: enforcesKeys)
    for row in rows { _ = store.observe([row], now: row.ended) }
    _ = store.markSwept("b", now: rows.last!.ended)
    return store
  }

  private func row(
    _ id: String, _ phase: RunPhase = .running, envelope: JSONValue? = nil, created: Timestamp?, started: Timestamp? = nil,
    finished: Timestamp? = nil, attempt: Attempt = .unknown, raw: String? = nil, isRebuild: Bool = false, seen moment: Timestamp,
    source: Observed.Source = .list
  ) -> Observed {
    Observed(
      "b",
      Observation(
        key: RunKey(id: id), identity: "i\(id)", attempt: attempt,
        core: .present(
          RunCore(phase: phase, rawState: raw ?? phase.rawValue, createdAt: created, startedAt: started, finishedAt: finished)),
        envelope: envelope.map { .present($0) } ?? .absent, isRebuild: isRebuild), began: moment, ended: moment + .seconds(1),
      source: source)
  }

  private func owner(_ name: String, _ store: RunStore) -> String? { store.ref(uid: "uid-\(name)")?.key.id }
  private func uids(_ store: RunStore) -> [String: String] {
    Dictionary(uniqueKeysWithValues: store.objects[.workflows].objects.map { ($0.draft.name, $0.draft.uid) })
  }

  // MARK: Clocks and copies

  @Test(arguments: [-36_000.0, -3600, -400, 400, 3600, 36_000]) func oneRunIsEnoughWhenAllWereSeen(_ skew: Double) {
    let mine = row("9", envelope: testEnvelope("mine", at: at(1)), created: at(skew + 2), seen: at(50_000))
    var store = Self.store()
    let before = store.currentVersionOfWorkflows
    let unsure = store.observe([mine], now: at(50_001))
    #expect(owner("mine", store) == nil && unsure.summaries.count == 1)
    let outcome = store.markSwept("b", now: at(50_002))
    #expect(owner("mine", store) == "9" && uids(store) == ["mine": "uid-mine"] && outcome.summaries.map(\.ref.key.id) == ["9"])
    // Nobody could read it yet: nothing was deleted or added for a watcher.
    #expect(store.objects[.workflows].window.count == 0 && store.currentVersionOfWorkflows > before)
  }

  @Test func copiesThatAreSeenLaterChangeNothingNorDoesTheNextRestart() {
    let envelope = testEnvelope("mine", at: at(0))
    let mine = row("50", envelope: envelope, created: at(3601), seen: at(9000))
    let late = row("60", envelope: envelope, created: at(8000), seen: at(9010))
    // Ids need not rise: made later, it has a lower one.
    let low = row("10", envelope: envelope, created: at(8500), seen: at(9020))
    let rebuild = row("5", envelope: envelope, created: at(3602), isRebuild: true, seen: at(9030))
    var store = Self.restarted([mine])
    for copy in [late, low, rebuild] { _ = store.observe([copy], now: copy.ended) }
    let expected = ["mine": "uid-mine", "run-60": "foreign-b-i60", "run-10": "foreign-b-i10", "run-5": "foreign-b-i5"]
    #expect(uids(store) == expected && owner("mine", store) == "50")
    for rows in [[mine, late, low, rebuild], [rebuild, low, late, mine], [late, mine, rebuild, low]] {
      #expect(uids(Self.restarted(rows)) == expected)
    }
    // It is gone: none of its copies is it.
    _ = store.forget([RunRef("b", RunKey(id: "50"))], now: at(9100))
    #expect(owner("mine", store) == nil)
  }

  @Test func threeThatDifferAreCopiesWhoseOriginalsAreGone() {
    let rows = (1...3).map { i in
      row("\(i)", envelope: testEnvelope("wf-\(i)", at: at(0)), created: at(Double(i) * 2000), seen: at(9000))
    }
    let store = Self.restarted(rows)
    #expect((1...3).allSatisfy { owner("wf-\($0)", store) == nil })
    // The least of two: copies are made later.
    let two = Self.restarted(Array(rows.prefix(2)))
    #expect(owner("wf-1", two) == "1" && owner("wf-2", two) == nil)
  }

  @Test func whereTheClocksAgreeACopyOfARunThatIsGoneStaysForeign() {
    let fits = row("1", envelope: testEnvelope("fits", at: at(0)), created: at(1), seen: at(9000))
    let copy = row("2", envelope: testEnvelope("gone", at: at(0)), created: at(3600), seen: at(9000))
    for rows in [[fits, copy], [copy, fits]] {
      let store = Self.restarted(rows)
      #expect(owner("fits", store) == "1" && owner("gone", store) == nil)
    }
    // Repeated the next day: no clock is off by that.
    #expect(
      owner("gone", Self.restarted([row("2", envelope: testEnvelope("gone", at: at(0)), created: at(86_400), seen: at(90_000))])) == nil)
  }

  @Test func theKeyOfTheSubmissionCountsMoreThanTimes() {
    let envelope = testEnvelope("mine", at: at(0))
    let mine = row("default.mine", envelope: envelope, created: at(500_000), seen: at(600_000))
    // As soon as it was submitted, and with a lower id.
    let copy = row("a", envelope: envelope, created: at(1), seen: at(600_010))
    for rows in [[mine, copy], [copy, mine]] {
      let store = Self.restarted(rows, enforcesKeys: true)
      #expect(owner("mine", store) == "default.mine" && uids(store)["run-a"] == "foreign-b-ia")
    }
    #expect(owner("mine", Self.restarted([mine, copy], enforcesKeys: false)) == "a")
    // What is marked as a repetition is one.
    let rebuild = row("default.mine", envelope: envelope, created: at(1), isRebuild: true, seen: at(600_000))
    #expect(owner("mine", Self.restarted([rebuild], enforcesKeys: true)) == nil)
  }

  /// Counts the work that grows with what is known.
  private final class CountingProjection: RunProjecting {
    let count = Mutex(0)
    func project(_ run: KnownRun, binding: BindingID, ownsEnvelope: Bool) -> ObjectDraft? {
      count.withLock { $0 += 1 }
      return TestProjection().project(run, binding: binding, ownsEnvelope: ownsEnvelope)
    }
    func envelopeIdentity(of run: KnownRun, binding: BindingID) -> EnvelopeIdentity? {
      TestProjection().envelopeIdentity(of: run, binding: binding)
    }
    func project(_ template: EngineTemplate, binding: BindingID) -> ObjectDraft? { nil }
  }

  @Test func aThousandCopiesCostAsMuchAsAThousandRuns() async {
    let projection = CountingProjection()
    var store = Self.store(projection: projection)
    let envelope = testEnvelope("mine", at: at(0))
    func rows(_ raw: String, seen moment: Double) -> [Observed] {
      (0..<1000).map { row("\($0)", envelope: envelope, created: at(Double($0) * 10), raw: raw, seen: at(moment)) }
    }
    func projections(_ body: () -> Void) -> Int {
      let before = projection.count.withLock { $0 }
      body()
      return projection.count.withLock { $0 } - before
    }
    // The worst order: each one that can own it takes it from the one before.
    var count = 0
    for row in rows("a", seen: 20_000).reversed() {
      count += projections { _ = store.observe([row], now: row.ended) }
      await Task.yield()
    }
    #expect(count <= 2000 && owner("mine", store) == "0")
    count = 0
    for row in rows("b", seen: 20_010) {
      count += projections { _ = store.observe([row], now: row.ended) }
      await Task.yield()
    }
    #expect(count == 1000)
    #expect(projections { _ = store.forget([RunRef("b", RunKey(id: "0"))], now: at(20_020)) } <= 1)
    #expect(projections { _ = store.forget([RunRef("b", RunKey(id: "700"))], now: at(20_030)) } == 0)
  }

  // MARK: Back from outside the window

  @Test(arguments: [Attempt.unknown, .number(2), .since(at(1500))], [true, false])
  func aRunThatIsStartedAgainAfterItsWindowIsAnotherObject(_ attempt: Attempt, _ isOurs: Bool) throws {
    let envelope = isOurs ? testEnvelope("mine", at: at(0)) : nil
    let (name, first) = isOurs ? ("mine", "uid-mine") : ("run-1", "foreign-b-i1")
    let once: Attempt = if case .since = attempt { .since(at(2)) } else { attempt == .unknown ? .unknown : .number(1) }
    let done = row("1", .succeeded, envelope: envelope, created: at(1), started: at(2), finished: at(3), attempt: once, seen: at(4))
    var store = Self.restarted([done])
    var cursor = try WatchCursor(.workflows, namespace: nil, options: ListOptions(), in: store.objects)
    _ = drain(&cursor, store.objects)
    #expect(uids(store) == [name: first])
    #expect(store.expire(now: at(1100)).gone.count == 1)
    let again = row("1", envelope: envelope, created: at(1), started: at(1500), attempt: attempt, seen: at(1501))
    _ = store.observe([again], now: again.ended)
    let uid = try #require(uids(store)[name])
    #expect(uid != first && store.object(uid: uid)?.draft.metadata["uid"] == .string(uid))
    #expect(
      drain(&cursor, store.objects).events.map { "\($0.kind.rawValue) \($0.object.draft.uid)" } == ["DELETED \(first)", "ADDED \(uid)"])
    if isOurs { #expect(store.activeOwnRuns("b").map(\.uid) == [uid]) }
    // The same after a restart; and while the try goes on, and when it has ended.
    #expect(uids(Self.restarted([again])) == [name: uid])
    let end = row("1", .failed, envelope: envelope, created: at(1), started: at(1500), finished: at(1900), attempt: attempt, seen: at(1950))
    _ = store.observe([end], now: end.ended)
    #expect(uids(store) == [name: uid] && uids(Self.restarted([end])) == [name: uid])
    // It leaves, and no third try gets one of the two.
    #expect(store.expire(now: at(3000)).gone.count == 1)
    let third = row(
      "1", envelope: envelope, created: at(1), started: at(3100), attempt: attempt == .number(2) ? .number(3) : .since(at(3100)),
      seen: at(3101))
    _ = store.observe([third], now: third.ended)
    #expect(uids(store).count == 1 && ![first, uid].contains(uids(store)[name]!))
    #expect(uids(Self.restarted([third])) == uids(store))
  }

  @Test("what is shown has not left: a later try makes no other object of it, and none comes back") func whatIsShownStaysTheSame() throws {
    let done = row("1", .failed, created: at(1), started: at(2), finished: at(900), attempt: .number(1), seen: at(901))
    var store = Self.restarted([done])
    var cursor = try WatchCursor(.workflows, namespace: nil, options: ListOptions(), in: store.objects)
    _ = drain(&cursor, store.objects)
    for (i, moment) in [1400.0, 2600, 3900].enumerated() {
      // First it waits, then it runs: in another window than it was made in.
      let attempt = Attempt.number(Int64(i) + 2)
      let queued = row("1", .pending, created: at(1), attempt: attempt, seen: at(moment))
      let begun = row("1", created: at(1), started: at(moment + 50), attempt: attempt, seen: at(moment + 60))
      let ended = row(
        "1", .failed, created: at(1), started: at(moment + 50), finished: at(moment + 900), attempt: attempt, seen: at(moment + 901))
      for observed in [queued, begun, ended] {
        _ = store.observe([observed], now: observed.ended)
        #expect(uids(store) == ["run-1": "foreign-b-i1"])
      }
    }
    #expect(!drain(&cursor, store.objects).events.contains { $0.kind == .deleted })
    #expect(store.ref(uid: "foreign-b-i1") != nil)
  }

  @Test("what is held has never left, also for who starts now") func whatIsHeldStaysTheSame() {
    var held = row("1", envelope: testEnvelope("mine", at: at(0)), created: at(1), started: at(1500), attempt: .number(2), seen: at(1501))
    #expect(uids(Self.restarted([held]))["mine"] != "uid-mine")
    held.observation.overlay = .present(["finalizers": ["example.com/hold"]])
    #expect(uids(Self.restarted([held])) == ["mine": "uid-mine"])
  }

  @Test func whoeverWaitsLongForItsFirstTryStaysTheSame() {
    let waiting = row("1", .pending, created: at(1), attempt: .number(1), seen: at(10))
    var store = Self.restarted([waiting])
    let begun = row("1", created: at(1), started: at(5000), attempt: .number(1), seen: at(5001))
    _ = store.observe([begun], now: begun.ended)
    #expect(uids(store) == ["run-1": "foreign-b-i1"])
  }

  @Test func whatIsActiveIsShownBeforeItsTryHasBegun() {
    for created in [at(1), nil] {
      var store = Self.restarted([row("1", .succeeded, created: created, finished: at(3), seen: at(4))])
      _ = store.expire(now: at(1100))
      let queued = row("1", .pending, created: created, seen: at(1500))
      _ = store.observe([queued], now: queued.ended)
      #expect(uids(store).count == 1 && uids(store)["run-1"] != "foreign-b-i1")
      let uid = uids(store)
      let begun = row("1", created: created, started: at(1600), seen: at(1601))
      _ = store.observe([begun], now: begun.ended)
      #expect(uids(store) == uid)
    }
  }

  // MARK: Namespaces that were made again

  @Test func aNewNamespaceBeginsWithoutTheWorkflowsOfTheOldOne() {
    func rows(seen moment: Double) -> [Observed] {
      [
        row("1", .succeeded, envelope: testEnvelope("done", at: at(0)), created: at(1), finished: at(50), seen: at(moment)),
        row("2", envelope: testEnvelope("active", at: at(0)), created: at(1), seen: at(moment)),
        row("3", .succeeded, created: at(1), finished: at(50), seen: at(moment)),
      ]
    }
    var store = Self.restarted(rows(seen: 60))
    let all = ["done", "active", "run-3"]
    #expect(Set(uids(store).keys) == Set(all))
    // The namespace that they are of.
    _ = store.setNamespace("default", created: at(-1), now: at(61))
    #expect(Set(uids(store).keys) == Set(all))
    _ = store.setNamespace("default", isHidden: true, now: at(70))
    _ = store.setNamespace("default", created: at(100), now: at(101))
    _ = store.setNamespace("default", isHidden: false, now: at(101))
    #expect(Set(uids(store).keys) == ["active", "run-3"])
    // What was active when it was made ends in it.
    let end = row("2", .failed, envelope: testEnvelope("active", at: at(0)), created: at(1), finished: at(110), seen: at(111))
    _ = store.observe([end], now: end.ended)
    #expect(Set(uids(store).keys) == ["active", "run-3"])
    // After a restart the cluster tells it again.
    var restarted = Self.restarted(rows(seen: 120))
    _ = restarted.setNamespace("default", created: at(100), now: at(122))
    #expect(Set(uids(restarted).keys) == ["active", "run-3"])
  }
}

extension RunStore { fileprivate var currentVersionOfWorkflows: UInt64 { objects.currentVersion } }
