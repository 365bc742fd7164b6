import JSON
import KubeWire
import Synchronization
import Testing

@testable import Translation

@Suite struct WatchTests {
  @Test func objectsThatLeaveTheSelectorAreDeletedWithTheirOldLabelsAndTheNewVersion() throws {
    var store = emptyStore()
    var cursor = try WatchCursor(
      .workflows, namespace: nil, options: ListOptions(labelSelector: LabelSelector(parsing: "team=a")), in: store)
    for (team, state) in [("b", "1"), ("a", "2"), ("a", "3"), ("b", "4"), ("b", "5")] {
      store.commit([.upsert(testDraft("x", labels: ["team": team], state: state))], now: at(1))
    }
    let events = drain(&cursor, store).events
    #expect(
      events.map { "\($0.kind.rawValue) \($0.object.draft.fields["status.phase"]!) \($0.object.draft.labels["team"]!)" }
        == ["ADDED 2 a", "MODIFIED 3 a", "DELETED 3 a"])
    let left = try #require(events.last?.object)
    #expect(left.version == events[1].object.version + 1000)
    #expect(String(decoding: left.json, as: UTF8.self).contains("\"resourceVersion\":\"\(left.version)\""))
    var again = try WatchCursor(
      .workflows, namespace: nil,
      options: ListOptions(labelSelector: LabelSelector(parsing: "team=a"), resourceVersion: String(left.version)), in: store)
    #expect(drain(&again, store).events.isEmpty)
  }

  @Test func deletionsHaveTheirOwnVersion() throws {
    var store = emptyStore()
    store.commit([.upsert(testDraft("x"))], now: at(1))
    let version = store.currentVersion
    var cursor = try WatchCursor(.workflows, namespace: nil, options: ListOptions(resourceVersion: String(version)), in: store)
    store.commit([.remove(.workflows, namespace: "default", name: "x")], now: at(2))
    let events = drain(&cursor, store).events
    #expect(events.count == 1 && events[0].kind == .deleted && events[0].object.version > version)
  }

  @Test(arguments: [0, 1, 7]) func initialEventsEndExactlyOnce(_ count: Int) throws {
    var store = emptyStore()
    for i in 0..<count { store.commit([.upsert(testDraft("n\(i)"))], now: at(1)) }
    var options = ListOptions(resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: true, sendInitialEvents: true, watch: true)
    var cursor = try WatchCursor(.workflows, namespace: nil, options: options, in: store)
    #expect(cursor.currentVersion(in: store) == 0)
    store.commit([.upsert(testDraft("later"))], now: at(2))
    let told = drain(&cursor, store)
    #expect(told.events.map(\.object.draft.name) == (0..<count).map { "n\($0)" } + ["later"])
    #expect(told.ends == 1 && drain(&cursor, store).ends == 0)
    #expect(cursor.currentVersion(in: store) == store.currentVersion)
    options.sendInitialEvents = false
    var plain = try WatchCursor(.workflows, namespace: nil, options: options, in: store)
    #expect(drain(&plain, store).events.isEmpty)
  }

  @Test func aWatcherThatCannotKeepUpIsEnded() throws {
    var store = emptyStore(windowCount: 3, minimumAge: .zero)
    var cursor = try WatchCursor(.workflows, namespace: nil, options: ListOptions(), in: store)
    for i in 0..<10 { store.commit([.upsert(testDraft("n\(i)"))], now: at(Double(i))) }
    #expect(drain(&cursor, store).expired)
    let floor = store[.workflows].window.floor
    #expect(throws: ReadFailure.versionGone(requested: floor - 1000, floor: floor)) {
      try WatchCursor(.workflows, namespace: nil, options: ListOptions(resourceVersion: String(floor - 1000)), in: store)
    }
    var resumed = try WatchCursor(.workflows, namespace: nil, options: ListOptions(resourceVersion: String(floor)), in: store)
    #expect(drain(&resumed, store).events.count == 3)
  }

  /// Whatever happens, whoever begins at whatever version ends with what a list shows, and sees nothing twice.
  @Test(arguments: 1...30 as ClosedRange<UInt64>) func everyWatcherEndsWithTheListedState(_ seed: UInt64) async throws {
    var random = SplitMix(seed)
    var store = emptyStore(windowCount: 40, minimumAge: .seconds(1))
    let selections: [(String?, String)] = [(nil, ""), ("a", ""), (nil, "team=x"), ("b", "team!=x")]
    var watchers: [(cursor: WatchCursor, mirror: Mirror, selection: Int)] = []
    func options(_ selection: Int, version: UInt64? = nil) throws -> ListOptions {
      ListOptions(
        labelSelector: try LabelSelector(parsing: selections[selection].1), resourceVersion: version.map { String($0) } ?? "")
    }
    var expired = 0
    for step in 0..<400 {
      if step % 16 == 0 { await Task.yield() }
      var changes: [ObjectChange] = []
      for _ in 0...Int.random(in: 0...3, using: &random) {
        let name = "n\(Int.random(in: 0..<12, using: &random))"
        let namespace = ["a", "b"].randomElement(using: &random)!
        if Int.random(in: 0..<4, using: &random) == 0 {
          changes.append(.remove(.workflows, namespace: namespace, name: name))
        } else {
          changes.append(
            .upsert(
              testDraft(
                name, namespace: namespace, uid: "\(name)-\(Int.random(in: 0..<2, using: &random))",
                labels: ["team": ["x", "y"].randomElement(using: &random)!], state: "\(random.next() % 3)")))
        }
      }
      store.commit(changes, now: at(Double(step) * 0.1))
      if step % 20 == 0 {
        let selection = Int.random(in: 0..<4, using: &random)
        let list = try store.list(.workflows, namespace: selections[selection].0, options: options(selection))
        let cursor = try WatchCursor(
          .workflows, namespace: selections[selection].0, options: options(selection, version: list.version), in: store)
        watchers.append((cursor, Mirror(list), selection))
      }
      for i in watchers.indices where Int.random(in: 0..<3, using: &random) == 0 {
        switch watchers[i].cursor.next(limit: Int.random(in: 1...5, using: &random), in: store) {
        case .events(let events):
          for event in events { watchers[i].mirror.apply(event) }
          // As after a broken connection: resume from the last version that was seen.
          if Int.random(in: 0..<4, using: &random) == 0 {
            let resumed = try? WatchCursor(
              .workflows, namespace: selections[watchers[i].selection].0,
              options: options(watchers[i].selection, version: events.last!.object.version), in: store)
            if let resumed { watchers[i].cursor = resumed }
          }
        case .expired:
          expired += 1
          let selection = watchers[i].selection
          let list = try store.list(.workflows, namespace: selections[selection].0, options: options(selection))
          watchers[i].mirror = Mirror(list)
          watchers[i].cursor = try WatchCursor(
            .workflows, namespace: selections[selection].0, options: options(selection, version: list.version), in: store)
        default: break
        }
      }
    }
    for var watcher in watchers {
      let told = drain(&watcher.cursor, store)
      if told.expired { continue }
      for event in told.events { watcher.mirror.apply(event) }
      let list = try store.list(.workflows, namespace: selections[watcher.selection].0, options: options(watcher.selection))
      #expect(watcher.mirror.faults.isEmpty)
      // A DELETED for leaving the selector carries a version of its own, so versions of what stays are those of the list.
      #expect(watcher.mirror.state == list.state)
    }
  }

  @Test func wakersAreCalledForTheirKindAndNamespaceOnly() throws {
    let store = SharedStore(RunStore(objects: emptyStore(), bindings: [], projection: TestProjection()))
    let calls = Mutex<[String]>([])
    let watches = try ["all": nil, "a": "a", "b": "b"].map { name, namespace in
      let watch = try store.watch(.workflows, namespace: namespace, options: ListOptions())
      watch.start { calls.withLock { $0.append(name) } }
      return watch
    }
    store.commit([.upsert(testDraft("x", namespace: "a"))], now: at(1))
    #expect(calls.withLock { $0.sorted() } == ["a", "all"])
    for watch in watches { watch.cancel() }
    store.commit([.upsert(testDraft("y", namespace: "a"))], now: at(2))
    #expect(calls.withLock { $0.count } == 2)
    guard case .ended = watches[0].next() else { Issue.record("still going"); return }
  }
}
