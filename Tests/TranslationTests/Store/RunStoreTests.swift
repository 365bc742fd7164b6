import AdapterKit
import JSON
import KubeWire
import OrderedCollections
import Testing

@testable import Translation

@Suite struct RunStoreTests {
  private var store: RunStore
  private var cursor: WatchCursor

  init() throws {
    store = RunStore(
      objects: emptyStore(), bindings: [BindingSettings(id: "b", namespaces: ["default"], window: .seconds(1000))],
      projection: TestProjection())
    _ = store.markSwept("b", now: at(0))
    cursor = try WatchCursor(.workflows, namespace: nil, options: ListOptions(), in: store.objects)
  }

  /// One observation: a call from `began` to `ended` seconds.
  private func seen(
    _ id: String, _ phase: RunPhase?, raw: String? = nil, attempt: Attempt = .unknown, order: EngineOrder? = nil, began: Double,
    ended: Double, source: Observed.Source = .list, envelope: Facet<JSONValue> = .absent, overlay: Facet<JSONValue> = .unseen,
    steps: Facet<[RunStep]> = .unseen, created: Timestamp? = nil, finished: Timestamp? = nil, isRebuild: Bool = false
  ) -> Observed {
    let core = phase.map { RunCore(phase: $0, rawState: raw ?? $0.rawValue, createdAt: created, finishedAt: finished) }
    return Observed(
      "b",
      Observation(
        key: RunKey(id: id), identity: "i\(id)", attempt: attempt, order: order, core: core.map { .present($0) } ?? .unseen,
        envelope: envelope, overlay: overlay, steps: steps, isRebuild: isRebuild), began: at(began), ended: at(ended), source: source)
  }

  @discardableResult
  private mutating func observe(_ batch: Observed...) -> ObserveOutcome { store.observe(batch, now: batch.last!.ended) }

  private mutating func events() -> [String] {
    drain(&cursor, store.objects).events.map {
      "\($0.kind.rawValue) \($0.object.draft.name) \($0.object.draft.content["status"]!["raw"]!.string!)"
    }
  }

  private func status(_ name: String, _ member: String) -> JSONValue? {
    store.objects.object(.workflows, namespace: "default", name: name)?.draft.content["status"]?[member]
  }

  @Test mutating func oneChangeIsOneEventAndNoneIsNone() {
    observe(seen("1", .running, began: 1, ended: 2))
    observe(seen("1", .running, began: 3, ended: 4))
    observe(seen("1", .succeeded, began: 5, ended: 6))
    #expect(events() == ["ADDED run-1 Running", "MODIFIED run-1 Succeeded"])
  }

  @Test mutating func aRunIsNotShownBeforeItsEnvelopeIsKnown() {
    let outcome = observe(seen("1", .running, began: 1, ended: 2, envelope: .unseen))
    #expect(events().isEmpty && outcome.summaries[0].wants.contains(.envelope))
    observe(seen("1", nil, began: 3, ended: 4, source: .get))
    #expect(events() == ["ADDED run-1 Running"])
  }

  @Test mutating func whatACallDidNotSeeStays() {
    let steps = [RunStep(name: "s", phase: .running, rawState: "r")]
    observe(seen("1", .running, began: 1, ended: 2, steps: .present(steps)))
    observe(seen("1", .running, raw: "busy", began: 3, ended: 4))
    #expect(status("run-1", "steps") == 1 && status("run-1", "raw") == "busy")
  }

  @Test mutating func theEnginesOrderDecides() {
    observe(seen("1", .running, raw: "two", order: .sequence(2), began: 1, ended: 2))
    observe(seen("1", .running, raw: "one", order: .sequence(1), began: 3, ended: 4))
    #expect(status("run-1", "raw") == "two")
    observe(seen("1", .running, raw: "three", order: .sequence(3), began: 0, ended: 0.5))
    #expect(status("run-1", "raw") == "three")
  }

  @Test mutating func whatEndedBeforeTheAppliedBeganIsDropped() {
    observe(seen("1", .succeeded, began: 10, ended: 11))
    let outcome = observe(seen("1", .running, began: 8, ended: 9))
    #expect(events() == ["ADDED run-1 Succeeded"] && outcome.summaries[0].wants.isDisjoint(with: [.refresh, .confirmation]))
  }

  @Test mutating func ofOverlappingReadsTheAppliedStaysAndAFreshOneIsWanted() {
    observe(seen("1", .running, raw: "x", began: 10, ended: 12))
    let outcome = observe(seen("1", .running, raw: "y", began: 11, ended: 13))
    #expect(status("run-1", "raw") == "x" && outcome.summaries[0].wants.contains(.refresh))
  }

  @Test mutating func theAnswerToAWriteWinsOverAnOverlappingRead() {
    observe(seen("1", .running, raw: "read", began: 10, ended: 12))
    observe(seen("1", .running, raw: "write", began: 11, ended: 13, source: .write))
    #expect(status("run-1", "raw") == "write")
    observe(seen("1", .running, raw: "read2", began: 12, ended: 14))
    #expect(status("run-1", "raw") == "write")
    observe(seen("1", .running, raw: "read3", began: 13, ended: 14))
    #expect(status("run-1", "raw") == "read3")
  }

  @Test mutating func aFinishedRunIsActiveAgainOnlyWithANewAttempt() {
    observe(seen("1", .failed, attempt: .number(1), began: 1, ended: 2, steps: .present([])))
    observe(seen("1", .running, attempt: .number(1), began: 3, ended: 4))
    #expect(status("run-1", "phase") == "Failed")
    observe(seen("1", .running, attempt: .number(2), began: 5, ended: 6))
    #expect(status("run-1", "phase") == "Running" && status("run-1", "attempt") == 2 && status("run-1", "steps") == -1)
    observe(seen("1", .failed, attempt: .number(1), began: 7, ended: 8))
    #expect(status("run-1", "phase") == "Running")
    #expect(events().count == 2)
  }

  @Test mutating func attemptsCanBeMoments() {
    observe(seen("1", .failed, attempt: .since(at(1)), began: 2, ended: 3))
    observe(seen("1", .pending, attempt: .since(at(4)), began: 5, ended: 6))
    #expect(status("run-1", "phase") == "Pending" && status("run-1", "attempt") == 2)
  }

  @Test mutating func withoutAttemptsADirectReadHasToConfirm() {
    observe(seen("1", .failed, began: 1, ended: 2))
    let outcome = observe(seen("1", .running, began: 3, ended: 4))
    #expect(status("run-1", "phase") == "Failed" && outcome.summaries[0].wants.contains(.confirmation))
    observe(seen("1", .running, began: 5, ended: 6, source: .get))
    #expect(status("run-1", "phase") == "Running" && status("run-1", "attempt") == 2)
  }

  @Test mutating func aCopiedEnvelopeMakesAForeignRun() {
    let envelope = testEnvelope("mine", at: at(0))
    observe(seen("9", .running, raw: "ours", began: 1, ended: 2, envelope: .present(envelope), created: at(1)))
    observe(seen("10", .running, raw: "copy", began: 500, ended: 501, envelope: .present(envelope), created: at(400)))
    observe(seen("11", .running, raw: "rebuild", began: 502, ended: 503, envelope: .present(envelope), created: at(2), isRebuild: true))
    observe(seen("12", .running, raw: "twin", began: 504, ended: 505, envelope: .present(envelope), created: at(3)))
    #expect(events() == ["ADDED mine ours", "ADDED run-10 copy", "ADDED run-11 rebuild", "ADDED run-12 twin"])
    #expect(store.ref(uid: "uid-mine")?.key.id == "9" && store.ownsEnvelope(RunRef("b", RunKey(id: "9"))))
    // A lower id was there all the time: it is the one the envelope was made for.
    observe(seen("2", .running, raw: "first", began: 506, ended: 507, envelope: .present(envelope), created: at(0.5)))
    #expect(store.ref(uid: "uid-mine")?.key.id == "2" && store.ref(namespace: "default", name: "run-9")?.key.id == "9")
    _ = store.forget([RunRef("b", RunKey(id: "2"))], now: at(510))
    // The Workflow is deleted: no copy takes its place.
    #expect(store.ref(uid: "uid-mine") == nil && store.ref(namespace: "default", name: "run-9")?.key.id == "9")
    observe(seen("2", .running, raw: "there", began: 511, ended: 512, envelope: .present(envelope), created: at(0.5)))
    #expect(store.ref(uid: "uid-mine")?.key.id == "2" && store.ownsEnvelope(RunRef("b", RunKey(id: "2"))))
  }

  // MARK: Clocks that differ

  @Test(arguments: [3600.0, -3600]) mutating func theAnswerToASubmissionProvesWhoseTheEnvelopeIs(_ skew: Double) {
    let mine = RunRef("b", RunKey(id: "9"))
    let envelope = testEnvelope("mine", at: at(1), timeout: 100)
    let answer = observe(
      seen("9", .running, raw: "ours", began: 1, ended: 2, source: .write, envelope: .present(envelope), created: at(skew + 1.5)))
    #expect(store.ownsEnvelope(mine) && answer.summaries[0].cancelAt == at(101))
    observe(seen("9", .running, raw: "row", began: 3, ended: 4, envelope: .present(envelope), created: at(skew + 1.5)))
    // Cleared in the engine: it is the same object.
    observe(seen("9", .running, raw: "later", began: 5, ended: 6, envelope: .present(envelope), created: at(skew + 5000)))
    // Copies, one with a lower id.
    observe(seen("10", .running, raw: "copy", began: 7, ended: 8, envelope: .present(envelope), created: at(skew + 700)))
    observe(seen("8", .running, raw: "low", began: 9, ended: 10, envelope: .present(envelope), created: at(skew + 5)))
    #expect(events() == ["ADDED mine ours", "MODIFIED mine row", "MODIFIED mine later", "ADDED run-10 copy", "ADDED run-8 low"])
    // What others submitted, or we in another life, is judged by the clock that is known now.
    let other = testEnvelope("other", at: at(-500))
    observe(seen("20", .running, raw: "row", began: 11, ended: 12, envelope: .present(other), created: at(skew - 499)))
    #expect(events() == ["ADDED other row"])
  }

  @Test mutating func aRunThatOwnedItsEnvelopeOnceKeepsIt() {
    let envelope = testEnvelope("mine", at: at(0))
    observe(seen("1", .running, raw: "a", began: 1, ended: 2, envelope: .present(envelope), created: at(1)))
    observe(seen("1", .running, raw: "b", began: 3, ended: 4, envelope: .present(envelope), created: at(2000)))
    #expect(events() == ["ADDED mine a", "MODIFIED mine b"])
    _ = store.forget([RunRef("b", RunKey(id: "1"))], now: at(5))
    observe(seen("1", .running, raw: "c", began: 6, ended: 7, envelope: .present(envelope), created: at(2000)))
    #expect(events() == ["DELETED mine b", "ADDED mine c"])
  }

  @Test mutating func threeRunsWithOneDifferenceTellTheClockAfterARestart() {
    func row(_ i: Int, off: Double) -> Observed {
      let envelope = testEnvelope("wf-\(i)", at: at(Double(i * 1000)))
      return seen("\(i)", .running, began: 5000, ended: 5001, envelope: .present(envelope), created: at(Double(i * 1000) + off))
    }
    observe(row(1, off: -7200))
    observe(row(2, off: -7195))
    #expect(store.ref(uid: "uid-wf-1") == nil)
    observe(row(3, off: -7190))
    #expect((1...3).allSatisfy { store.ref(uid: "uid-wf-\($0)")?.key.id == "\($0)" })
  }

  @Test mutating func copiesAreNoClock() {
    func row(_ i: Int, off: Double) -> Observed {
      let envelope = testEnvelope("wf-\(i)", at: at(Double(i * 1000)))
      return seen("\(i)", .running, began: 5000, ended: 5001, envelope: .present(envelope), created: at(Double(i * 1000) + off))
    }
    // Repeated each night.
    for i in 1...5 { observe(row(i, off: 86_400)) }
    // Repeated at any time.
    for i in 6...9 { observe(row(i, off: Double(i * 600))) }
    #expect((1...9).allSatisfy { store.ref(uid: "uid-wf-\($0)") == nil })
    // One that was made when its envelope says: the clocks agree.
    observe(row(10, off: 1))
    for i in 11...15 { observe(row(i, off: 3600)) }
    #expect(store.ref(uid: "uid-wf-10") != nil && (11...15).allSatisfy { store.ref(uid: "uid-wf-\($0)") == nil })
  }

  // MARK: What is held

  @Test mutating func whatIsHeldIsKeptHoweverOldAndWhileItsNamespaceIsHidden() {
    var held = testEnvelope("held", at: at(0))
    held["finalizers"] = ["x"]
    _ = store.observe(
      [
        seen("1", .succeeded, began: 2000, ended: 2001, envelope: .present(held), created: at(1), finished: at(2)),
        seen("2", .succeeded, began: 2000, ended: 2001, overlay: .present(["deletionTimestamp": "x"]), finished: at(2)),
        seen("3", .succeeded, began: 2000, ended: 2001, overlay: .present(["finalizers": []]), finished: at(2)),
        // A copy: it is not held, for what holds is not its own.
        seen("4", .succeeded, began: 2000, ended: 2001, envelope: .present(held), created: at(900), finished: at(901)),
      ], now: at(2001))
    #expect(events() == ["ADDED held Succeeded", "ADDED run-2 Succeeded"])
    _ = store.setNamespace("default", isHidden: true, now: at(2002))
    #expect(store.expire(now: at(3000)).gone.map(\.key.id) == ["4"])
    _ = store.setNamespace("default", isHidden: false, now: at(3001))
    #expect(store.objects[.workflows].objects.map(\.draft.name) == ["held", "run-2"])
  }

  @Test mutating func whatIsHeldWaitsForTheClockToBeKnown() {
    var held = testEnvelope("held", at: at(0))
    held["finalizers"] = ["x"]
    observe(seen("1", .succeeded, began: 9000, ended: 9001, envelope: .present(held), created: at(3601), finished: at(3602)))
    #expect(store.expire(now: at(9002)).gone.isEmpty && events().isEmpty)
    let envelope = testEnvelope("new", at: at(9010))
    observe(seen("2", .running, began: 9010, ended: 9011, source: .write, envelope: .present(envelope), created: at(12_611)))
    #expect(store.ref(uid: "uid-new") != nil && store.ref(uid: "uid-held")?.key.id == "1")
    #expect(store.expire(now: at(9012)).gone.isEmpty)
  }

  @Test mutating func noTwoEventsHaveOneVersion() {
    for i in 1...3 { observe(seen("\(i)", .running, began: 1, ended: 2)) }
    _ = store.setNamespace("default", isHidden: true, now: at(3))
    _ = store.setNamespace("default", isHidden: false, now: at(3))
    _ = store.observe((1...3).map { seen("\($0)", .succeeded, began: 3, ended: 3) }, now: at(3))
    // Also when the clock goes back.
    _ = store.setNamespace("default", isHidden: true, now: at(1))
    _ = store.setNamespace("default", isHidden: false, now: at(1))
    let window = store.objects[.workflows].window
    let versions = window.events(from: 0).map(\.version)
    #expect(versions.count == 18 && zip(versions, versions.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func departedUidsAreBounded() async {
    var departed = Departed()
    for i in 0..<25_000 {
      if i % 128 == 0 { await Task.yield() }
      departed.insert("u\(i)", identity: "i\(i)", isOver: i % 2 == 0, now: at(Double(i)))
    }
    #expect(departed.count <= Departed.limit * 9 / 8 && !departed.admits("u24999", identity: "copy"))
    #expect(departed.admits("u24999", identity: "i24999") && departed.admits("u0", identity: "copy") && departed.isOver("u24998"))
    departed.prune(before: at(24_990))
    #expect(departed.count == 10)
  }

  @Test mutating func oursComesBeforeAForeignRunOfTheSameName() {
    observe(seen("7", .running, raw: "foreign", began: 1, ended: 2, created: at(0)))
    observe(seen("8", .running, raw: "ours", began: 3, ended: 4, envelope: .present(testEnvelope("run-7", at: at(2))), created: at(2)))
    #expect(events() == ["ADDED run-7 foreign", "DELETED run-7 foreign", "ADDED run-7 ours"])
    _ = store.forget([RunRef("b", RunKey(id: "8"))], now: at(5))
    #expect(events() == ["DELETED run-7 ours", "ADDED run-7 foreign"])
    _ = store.forget([RunRef("b", RunKey(id: "7"))], now: at(6))
    #expect(events() == ["DELETED run-7 foreign"] && store.claims.isEmpty && store.shown.isEmpty)
  }

  @Test mutating func finishedRunsLeaveTheWindowAndNeverComeBack() {
    observe(
      seen("1", .succeeded, began: 1, ended: 2, finished: at(1)), seen("2", .running, began: 1, ended: 2),
      seen("3", .succeeded, began: 1, ended: 2, overlay: .present(["finalizers": ["x"]]), finished: at(1)))
    _ = events()
    #expect(store.expire(now: at(900)).gone.isEmpty)
    #expect(store.expire(now: at(1002)).gone.map(\.key.id) == ["1"])
    #expect(events() == ["DELETED run-1 Succeeded"])
    observe(seen("1", .failed, began: 1003, ended: 1004, finished: at(1)))
    observe(seen("4", .failed, began: 1003, ended: 1004, finished: at(1)))
    #expect(events().isEmpty)
  }

  @Test mutating func forgettingWhatIsUnknownIsToldToo() {
    let outcome = store.forget([RunRef("b", RunKey(id: "ghost"))], now: at(5))
    #expect(outcome.gone == [RunRef("b", RunKey(id: "ghost"))] && !outcome.changedObjects)
  }

  @Test mutating func whatACallSawBeforeTheDeletionIsHistory() {
    observe(seen("1", .succeeded, began: 1, ended: 2))
    _ = store.forget([RunRef("b", RunKey(id: "1"))], now: at(5))
    observe(seen("1", .succeeded, began: 4, ended: 6))
    #expect(events() == ["ADDED run-1 Succeeded", "DELETED run-1 Succeeded"])
    observe(seen("1", .succeeded, began: 7, ended: 8))
    #expect(events() == ["ADDED run-1 Succeeded"])
  }

  @Test mutating func aKeyGivenToAnotherRunIsAnotherObject() {
    observe(seen("1", .succeeded, began: 1, ended: 2))
    var other = seen("1", .running, began: 3, ended: 4)
    other.observation.identity = "another"
    observe(other)
    observe(seen("1", .succeeded, began: 2, ended: 5))
    #expect(events() == ["ADDED run-1 Succeeded", "DELETED run-1 Succeeded", "ADDED run-1 Running"])
    #expect(store.ref(uid: "foreign-b-another") != nil && store.ref(uid: "foreign-b-i1") == nil)
  }

  @Test mutating func anAttemptThatIsToldLateIsNotAFurtherOne() {
    observe(seen("1", .failed, attempt: .since(at(1)), began: 2, ended: 3))
    observe(seen("1", .pending, attempt: .unknown, began: 5, ended: 6, source: .get))
    observe(seen("1", .running, attempt: .since(at(7)), began: 8, ended: 9))
    #expect(status("run-1", "attempt") == 2 && status("run-1", "phase") == "Running")
  }

  @Test mutating func hidingIsDeletionToo() {
    observe(seen("1", .running, began: 1, ended: 2))
    observe(seen("1", nil, began: 3, ended: 4, source: .write, envelope: .unseen, overlay: .present(["hidden": true])))
    #expect(events() == ["ADDED run-1 Running", "DELETED run-1 Running"])
  }

  @Test func overlaysThatAreKeptApartAreReadFirst() throws {
    var store = RunStore(
      objects: emptyStore(), bindings: [BindingSettings(id: "b", namespaces: ["default"], readsOverlaysApart: true)],
      projection: TestProjection())
    _ = store.observe([seen("1", .running, began: 1, ended: 2), seen("2", .running, began: 1, ended: 2)], now: at(2))
    #expect(store.objects[.workflows].objects.isEmpty)
    _ = store.observeOverlays("b", ["foreign-b-i2": ["hidden": true]], began: at(3), ended: at(4), now: at(4))
    #expect(store.objects[.workflows].objects.map(\.draft.name) == ["run-1"])
    _ = store.observe([seen("3", .running, began: 5, ended: 6)], now: at(6))
    #expect(store.objects[.workflows].objects.map(\.draft.name) == ["run-1", "run-3"])
    _ = store.observeOverlays("b", [:], began: at(7), ended: at(7.5), now: at(7.5))
    #expect(store.objects[.workflows].objects.map(\.draft.name) == ["run-1", "run-3"])
    _ = store.observeOverlays("b", ["foreign-b-i2": ["hidden": true]], began: at(7.5), ended: at(7.6), now: at(7.6))
    _ = store.observeOverlays("b", [:], began: at(7.6), ended: at(7.7), now: at(7.7))
    #expect(store.objects[.workflows].objects.map(\.draft.name) == ["run-1", "run-3"])
    _ = store.observeOverlays("b", [:], began: at(7.8), ended: at(8), now: at(8))
    #expect(store.objects[.workflows].objects.map(\.draft.name) == ["run-1", "run-2", "run-3"])
    // A write that ended after the reading began knows better.
    _ = store.observe(
      [seen("1", nil, began: 9, ended: 11, source: .write, envelope: .unseen, overlay: .present(["hidden": true]))], now: at(11))
    _ = store.observeOverlays("b", [:], began: at(10), ended: at(12), now: at(12))
    #expect(store.objects[.workflows].objects.map(\.draft.name) == ["run-2", "run-3"])
  }

  @Test func whatWasNeverSweptIs503() throws {
    let shared = SharedStore(
      RunStore(
        objects: emptyStore(),
        bindings: [BindingSettings(id: "b", namespaces: ["default"], hasTemplates: true), BindingSettings(id: "c", namespaces: ["other"])],
        projection: TestProjection()))
    func code(_ body: () throws -> Void) -> Int { do { try body() } catch { return (error as? StatusError)?.code ?? 0 }; return 200 }
    #expect(code { _ = try shared.list(.workflows, namespace: "default", options: ListOptions()) } == 503)
    #expect(code { _ = try shared.watch(.workflows, namespace: nil, options: ListOptions()) } == 503)
    #expect(code { _ = try shared.get(.workflows, namespace: "default", name: "x") } == 503)
    #expect(code { _ = try shared.list(.workflows, namespace: "unbound", options: ListOptions()) } == 200)
    shared.markSwept("b", now: at(2))
    #expect(code { _ = try shared.list(.workflows, namespace: "default", options: ListOptions()) } == 200)
    #expect(code { _ = try shared.list(.workflows, namespace: nil, options: ListOptions()) } == 503)
    #expect(code { _ = try shared.list(.workflowtemplates, namespace: "default", options: ListOptions()) } == 503)
    shared.observeTemplates("b", [EngineTemplate(name: "t")], now: at(1))
    #expect(try shared.list(.workflowtemplates, namespace: "default", options: ListOptions()).items.map(\.draft.name) == ["t"])
    shared.observeTemplates("b", [], now: at(2))
    #expect(try shared.get(.workflowtemplates, namespace: "default", name: "t") == nil)
  }

  @Test func theOrderOfMembersIsNoChange() {
    var store = RunStore(
      objects: emptyStore(), bindings: [BindingSettings(id: "b", namespaces: ["default"])], projection: TestProjection())
    func see(_ envelope: JSONValue, _ overlay: JSONValue, _ parameters: JSONValue, at moment: Double) {
      var seen = seen("1", .running, began: moment, ended: moment, envelope: .present(envelope), overlay: .present(overlay))
      if case .present(var core) = seen.observation.core {
        core.parameters = parameters
        seen.observation.core = .present(core)
      }
      _ = store.observe([seen], now: at(moment))
    }
    see(["x": 1, "y": ["a": 1, "b": 2]], ["p": 1, "q": 2], ["c": 1, "d": 2], at: 1)
    let before = store.run(RunRef("b", RunKey(id: "1")))
    see(["y": ["b": 2, "a": 1], "x": 1], ["q": 2, "p": 1], ["d": 2, "c": 1], at: 2)
    let after = store.run(RunRef("b", RunKey(id: "1")))
    #expect(before?.envelope == after?.envelope && before?.overlay == after?.overlay && before?.core == after?.core)
  }

  @Test func aHiddenNamespaceShowsNothingAndIsNotLate() throws {
    let shared = SharedStore(
      RunStore(
        objects: emptyStore(), bindings: [BindingSettings(id: "b", namespaces: ["default"], hasTemplates: true)],
        projection: TestProjection()))
    shared.setNamespace("default", isHidden: true, now: at(0))
    #expect(try shared.list(.workflows, namespace: "default", options: ListOptions()).items.isEmpty)
    shared.observe([seen("1", .running, began: 1, ended: 2)], now: at(2))
    shared.observeTemplates("b", [EngineTemplate(name: "t")], now: at(2))
    shared.markSwept("b", now: at(2))
    #expect(try shared.list(.workflows, namespace: nil, options: ListOptions()).items.isEmpty)
    #expect(try shared.list(.workflowtemplates, namespace: nil, options: ListOptions()).items.isEmpty)
    shared.setNamespace("default", isHidden: false, now: at(3))
    shared.observeTemplates("b", [EngineTemplate(name: "t")], now: at(3))
    #expect(try shared.list(.workflows, namespace: nil, options: ListOptions()).items.map(\.draft.name) == ["run-1"])
    #expect(try shared.list(.workflowtemplates, namespace: nil, options: ListOptions()).items.map(\.draft.name) == ["t"])
    let object = try shared.get(.workflows, namespace: "default", name: "run-1")
    let uid = try #require(object).draft.uid
    shared.setNamespace("default", isHidden: true, now: at(4))
    shared.setNamespace("default", isHidden: false, now: at(5))
    #expect(try shared.get(.workflows, namespace: "default", name: "run-1")?.draft.uid == uid)
  }

  @Test func twoBackendsCanHaveTheSameTemplate() {
    func info(_ name: String) -> BindingInfo {
      BindingInfo(
        name: name, backend: "backend-\(name)", namespace: "default", scope: AdapterScope(), access: .manage, deletionPolicy: .delete,
        inlineSteps: true)
    }
    func names(_ order: [BindingID]) -> [String: String] {
      var store = RunStore(
        objects: emptyStore(),
        bindings: ["a", "b"].map { BindingSettings(id: BindingID($0), namespaces: ["default"], hasTemplates: true) },
        projection: Projector(group: "g.example.com", bindings: [info("a"), info("b")], signingKeys: []))
      for id in order { _ = store.observeTemplates(id, [EngineTemplate(name: "t")], now: at(1)) }
      let shown = store.objects[.workflowtemplates].objects.map { ($0.draft.fields["spec.backend"] ?? "", $0.draft.name) }
      return Dictionary(uniqueKeysWithValues: shown)
    }
    let expected = ["backend-a": "t", "backend-b": EngineNames.objectName("t", of: "backend-b")]
    #expect(names(["a", "b"]) == expected && names(["b", "a"]) == expected && names(["a", "b", "a", "b"]) == expected)
    #expect(names(["b"]) == ["backend-b": "t"])
  }
}
