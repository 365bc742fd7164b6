import JSON
import KubeWire
import Testing

@testable import Translation

@Suite struct ObjectStoreTests {
  @Test func anEqualDraftIsNoEvent() {
    var store = emptyStore()
    store.commit([.upsert(testDraft("a"))], now: at(1))
    let version = store.currentVersion
    let touched = store.commit([.upsert(testDraft("a"))], now: at(2))
    #expect(touched.isEmpty)
    #expect(store.currentVersion == version)
  }

  @Test func versionsRiseAlsoWhenTheClockDoesNot() {
    var store = emptyStore(epoch: 123)
    store.commit([.upsert(testDraft("a")), .upsert(testDraft("b"))], now: at(5))
    store.commit([.upsert(testDraft("c"))], now: at(-100))
    let versions = ["a", "b", "c"].map { store.object(.workflows, namespace: "default", name: $0)!.version }
    #expect(versions == versions.sorted() && Set(versions).count == 3)
    #expect(versions.allSatisfy { $0 % 1000 == 123 })
    #expect(versions[0] == UInt64(at(5).microseconds) * 1000 + 123)
  }

  @Test func anotherUidUnderTheNameIsDeletedThenAdded() throws {
    var store = emptyStore()
    var cursor = try WatchCursor(.workflows, namespace: nil, options: ListOptions(), in: store)
    store.commit([.upsert(testDraft("a", uid: "1"))], now: at(1))
    store.commit([.upsert(testDraft("a", uid: "2"))], now: at(2))
    #expect(drain(&cursor, store).events.map { "\($0.kind.rawValue) \($0.object.draft.uid)" } == ["ADDED 1", "DELETED 1", "ADDED 2"])
  }

  @Test func listsAreInByteOrderOfNamespaceAndName() throws {
    var store = emptyStore()
    for (namespace, name) in [("a", "x"), ("a-b", "x"), ("a", "b-c"), ("a", "b.c"), ("b", "a")] {
      store.commit([.upsert(testDraft(name, namespace: namespace))], now: at(1))
    }
    #expect(
      try store.list(.workflows, namespace: nil, options: ListOptions()).items.map(\.key) == ["a-b/x", "a/b-c", "a/b.c", "a/x", "b/a"])
    #expect(try store.list(.workflows, namespace: "a", options: ListOptions()).items.map(\.key) == ["a/b-c", "a/b.c", "a/x"])
    #expect(try store.list(.workflows, namespace: "none", options: ListOptions()).items.isEmpty)
  }

  @Test func pagesComeFromOneSnapshotWhateverHappensMeanwhile() throws {
    for seed in 1...40 as ClosedRange<UInt64> {
      var random = SplitMix(seed)
      var store = emptyStore()
      for i in 0..<30 { store.commit([.upsert(testDraft("n\(i)", namespace: ["a", "b"][i % 2]))], now: at(1)) }
      let namespace = [nil, "a"].randomElement(using: &random)!
      let whole = try store.list(.workflows, namespace: namespace, options: ListOptions())
      var pages: [StoredObject] = []
      var token = ""
      repeat {
        let page = try store.list(.workflows, namespace: namespace, options: ListOptions(limit: 4, continueToken: token))
        #expect(page.version == whole.version)
        pages += page.items
        #expect(page.remainingItemCount ?? 0 == whole.items.count - pages.count)
        token = page.continueToken ?? ""
        for _ in 0..<3 {
          let i = Int.random(in: 0..<40, using: &random)
          let space = ["a", "b"][i % 2]
          let change: ObjectChange =
            Bool.random(using: &random)
            ? .remove(.workflows, namespace: space, name: "n\(i)")
            : .upsert(testDraft("n\(i)", namespace: space, state: "\(random.next() % 5)"))
          store.commit([change], now: at(2))
        }
      } while !token.isEmpty
      #expect(pages.map(\.json) == whole.items.map(\.json))
      let exact = ListOptions(resourceVersion: String(whole.version), resourceVersionMatch: "Exact")
      #expect(try store.list(.workflows, namespace: namespace, options: exact).items.map(\.json) == whole.items.map(\.json))
    }
  }

  @Test func aTokenWhoseVersionLeftTheWindowIs410WithOneThatGoesOn() throws {
    var store = emptyStore(windowCount: 2, minimumAge: .seconds(10))
    for i in 0..<5 { store.commit([.upsert(testDraft("n\(i)"))], now: at(Double(i))) }
    let first = try store.list(.workflows, namespace: nil, options: ListOptions(limit: 2))
    for i in 5..<9 { store.commit([.upsert(testDraft("n\(i)"))], now: at(Double(i) * 100)) }
    let error = #expect(throws: ReadFailure.self) {
      try store.list(.workflows, namespace: nil, options: ListOptions(limit: 2, continueToken: first.continueToken!))
    }
    guard case .continueGone(let token)? = error else { Issue.record("\(error as Any)"); return }
    #expect(error?.statusError.code == 410 && error?.statusError.status.continueToken == token)
    let rest = try store.list(.workflows, namespace: nil, options: ListOptions(continueToken: token))
    #expect(rest.items.map(\.draft.name) == ["n2", "n3", "n4", "n5", "n6", "n7", "n8"])
    #expect(rest.version == store.currentVersion)
  }

  @Test func eventsAreKeptForTheMinimumAgeWhateverTheirCount() throws {
    var store = emptyStore(windowCount: 2, minimumAge: .seconds(600))
    let start = store.currentVersion
    for i in 0..<50 { store.commit([.upsert(testDraft("n\(i)"))], now: at(Double(i))) }
    var cursor = try WatchCursor(.workflows, namespace: nil, options: ListOptions(resourceVersion: String(start)), in: store)
    #expect(drain(&cursor, store).events.count == 50)
  }

  @Test func eventsAreBoundedByTheirBytesWhateverTheirAge() throws {
    var store = emptyStore(windowBytes: 600_000)
    let start = store.currentVersion
    func watch(from version: UInt64) throws -> WatchCursor {
      try WatchCursor(.workflows, namespace: nil, options: ListOptions(resourceVersion: String(version)), in: store)
    }
    var slow = try watch(from: start)
    let text = String(repeating: "x", count: 10_000)
    for i in 0..<50 { store.commit([.upsert(testDraft("big", state: "\(i)" + text))], now: at(1)) }
    let window = store[.workflows].window
    #expect(
      window.count == 9 && window.bytes <= 600_000 && window.bytes > 9 * 60_000 && window.floor > start
        && store[.workflows].objects.count == 1)
    #expect(drain(&slow, store).expired)
    #expect(throws: ReadFailure.self) { try watch(from: start) }
    var recent = try watch(from: window.floor)
    #expect(drain(&recent, store).events.count == 9)
    // One that is larger than all of the budget is told all the same to whoever keeps up.
    let before = store.currentVersion
    store.commit([.upsert(testDraft("big", state: String(repeating: "y", count: 200_000)))], now: at(1))
    store.commit([.upsert(testDraft("small"))], now: at(1))
    #expect(store[.workflows].window.count == 1 && store[.workflows].window.floor > before)
  }

  @Test func theOtherKindsHaveSmallerWindows() {
    var store = emptyStore(windowBytes: 800_000)
    let text = String(repeating: "x", count: 2000)
    for i in 0..<500 {
      for resource in [Resource.workflows, .workflowtemplates] {
        var draft = testDraft("n", state: "\(i)" + text)
        draft.resource = resource
        store.commit([.upsert(draft)], now: at(1))
      }
    }
    #expect(store[.workflows].window.bytes <= 800_000 && store[.workflowtemplates].window.bytes <= 100_000)
    #expect(store[.workflows].window.count > 4 * store[.workflowtemplates].window.count)
  }

  @Test func aNameIsLookedUpNotSearched() throws {
    var store = emptyStore()
    for i in 0..<100 { store.commit([.upsert(testDraft("n\(i)", namespace: ["a", "b"][i % 2]))], now: at(1)) }
    let then = store.currentVersion
    store.commit([.remove(.workflows, namespace: "a", name: "n4"), .upsert(testDraft("n7", namespace: "b", state: "z"))], now: at(2))
    func names(_ namespace: String?, _ fields: String, at version: UInt64? = nil) throws -> [String] {
      let options = ListOptions(
        fieldSelector: try FieldSelector(parsing: fields, allowed: nil), resourceVersion: version.map { String($0) } ?? "",
        resourceVersionMatch: version == nil ? "" : "Exact")
      return try store.list(.workflows, namespace: namespace, options: options).items.map {
        "\($0.key) \($0.draft.fields["status.phase"]!)"
      }
    }
    #expect(try names("b", "metadata.name=n7") == ["b/n7 z"])
    #expect(try names("b", "metadata.name=n7", at: then) == ["b/n7 a"])
    #expect(try names("a", "metadata.name=n4").isEmpty)
    #expect(try names("a", "metadata.name=n4", at: then) == ["a/n4 a"])
    #expect(try names("a", "metadata.name=n7").isEmpty)
    #expect(try names(nil, "metadata.name=n7") == ["b/n7 z"])
    #expect(try names("b", "metadata.name=n7,metadata.name=n9").isEmpty)
    #expect(try names("b", "metadata.name=n7,status.phase!=z").isEmpty)
    let selection = ObjectSelection(
      namespace: "a", labels: .everything, fields: try FieldSelector(parsing: "metadata.name=n8", allowed: nil))
    #expect(store[.workflows].range(selection).count == 1)
    var cursor = try WatchCursor(
      .workflows, namespace: "b", options: ListOptions(fieldSelector: FieldSelector(parsing: "metadata.name=n7", allowed: nil)), in: store)
    #expect(drain(&cursor, store).events.map(\.object.key) == ["b/n7"])
  }

  @Test func versionsOfListsFollowTheTable() throws {
    var store = emptyStore(windowCount: 1, minimumAge: .zero)
    store.commit([.upsert(testDraft("a"))], now: at(1))
    let old = store.currentVersion
    for i in 0..<4 { store.commit([.upsert(testDraft("b", state: "\(i)"))], now: at(Double(i + 2))) }
    func list(_ version: String, _ match: String = "", limit: Int = 0) throws -> ListResult {
      try store.list(.workflows, namespace: nil, options: ListOptions(limit: limit, resourceVersion: version, resourceVersionMatch: match))
    }
    #expect(try list("0").version == store.currentVersion)
    #expect(try list(String(old)).version == store.currentVersion)
    #expect(try list(String(old), "NotOlderThan", limit: 1).version == store.currentVersion)
    #expect(throws: ReadFailure.listVersionGone) { try list(String(old), limit: 1) }
    #expect(throws: ReadFailure.listVersionGone) { try list(String(old), "Exact") }
    #expect(try list(String(store.currentVersion), "Exact").items.count == 2)
    let future = store.currentVersion + 1_000_000
    #expect(throws: ReadFailure.versionTooLarge(requested: future, current: store.currentVersion)) { try list(String(future)) }
    let foreign = store.currentVersion + 1
    #expect(throws: ReadFailure.self) { try list(String(foreign)) }
    #expect(throws: ReadFailure.invalidContinue("illegal base64 data at input byte 0")) {
      try store.list(.workflows, namespace: nil, options: ListOptions(continueToken: "!!!"))
    }
    #expect(throws: ReadFailure.invalidContinue("invalid character 'i' looking for beginning of value")) {
      try store.list(.workflows, namespace: nil, options: ListOptions(continueToken: "abc"))
    }
    #expect(throws: ReadFailure.invalidContinue("illegal base64 data at input byte 4")) {
      try store.list(.workflows, namespace: nil, options: ListOptions(continueToken: "abcda"))
    }
    for match in ["", "NotOlderThan"] {
      let all = try list("0", match, limit: 1)
      #expect(all.items.count == 2 && all.continueToken == nil)
    }
    #expect(throws: ReadFailure.listVersionGone) { try list("1", limit: 1) }
    #expect(throws: ReadFailure.listVersionGone) { try list("1", "Exact") }
    #expect(throws: ReadFailure.versionGone(requested: 1, floor: store[.workflows].floor(namespace: nil))) { try list("1") }
  }

  @Test func tokensAreWhatGoServersWrite() throws {
    let token = ContinueToken(version: 614, after: "default/a")
    #expect(token.text == "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NjE0LCJzdGFydCI6ImRlZmF1bHQvYVx1MDAwMCJ9")
    #expect(try ContinueToken(token.text) == token)
    #expect(try ContinueToken(ContinueToken(version: nil, start: "x").text).version == nil)
  }

  @Test func silentChangesEndWhatWasReadBefore() throws {
    var store = emptyStore()
    var cursor = try WatchCursor(.workflows, namespace: "b", options: ListOptions(), in: store)
    var other = try WatchCursor(.workflows, namespace: "a", options: ListOptions(), in: store)
    store.commit([.upsert(testDraft("x", namespace: "b"))], silently: true, now: at(1))
    #expect(drain(&cursor, store).expired)
    #expect(!drain(&other, store).expired)
    #expect(try store.list(.workflows, namespace: "b", options: ListOptions()).items.count == 1)
  }
}
