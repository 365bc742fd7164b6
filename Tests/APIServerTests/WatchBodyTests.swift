import HTTPMessage
import JSON
import KubeWire
import Synchronization
import Testing
import Translation

@testable import APIServer

/// A watch that tells what the test wrote down.
private final class ScriptedWatch: WatchSource {
  private struct State {
    var steps: [WatchStep]
    var isCancelled = false
  }
  private let state: Mutex<State>
  let currentVersion: UInt64

  init(_ steps: [WatchStep], version: UInt64 = 42) {
    state = Mutex(State(steps: steps))
    currentVersion = version
  }

  func start(wake: @escaping @Sendable () -> Void) {}
  func next(limit: Int) -> WatchStep { state.withLock { $0.steps.isEmpty ? .wait : $0.steps.removeFirst() } }
  func cancel() { state.withLock { $0.isCancelled = true } }
  func push(_ step: WatchStep) { state.withLock { $0.steps.append(step) } }
  var isCancelled: Bool { state.withLock { $0.isCancelled } }
}

@Suite struct WatchBodyTests {
  private let clock = TestClock()
  private let a = Samples.workflow("a", version: 7)

  private func body(
    _ watch: ScriptedWatch, form: ResponseForm = .plain, seconds: Int = 300, bookmarks: Bool = true,
    events: WatchEventEncoder = WatchEventEncoder()
  ) -> WatchBody {
    WatchBody(
      watch, settings: .init(end: clock.now + .seconds(seconds), bookmarkInterval: bookmarks ? .seconds(60) : nil), clock: clock,
      events: events
    ) { Samples.encoder(form, now: $0) }
  }

  private func text(_ step: HTTPBodyStep) -> String? { if case .bytes(let bytes) = step { bytes.text } else { nil } }
  private func isEnd(_ step: HTTPBodyStep) -> Bool { if case .end = step { true } else { false } }
  private func wait(_ step: HTTPBodyStep) -> Duration? { if case .wait(let duration) = step { duration } else { nil } }

  @Test("W1, W2: one JSON object per event, each ended by a line feed") func framing() throws {
    let b = Samples.workflow("b", version: 8)
    let watch = ScriptedWatch([.events([WatchEvent(.added, a), WatchEvent(.deleted, b)])])
    let lines = try #require(text(body(watch).next())).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3 && lines[2].isEmpty)
    #expect(try JSONValue(parsing: String(lines[0]))["type"] == "ADDED")
    let second = try JSONValue(parsing: String(lines[1]))
    #expect(
      second["type"] == "DELETED" && second["object"]?["kind"] == "Workflow" && second["object"]?["metadata"]?["resourceVersion"] == "8")
  }

  @Test("W14: the end of the initial events, also of none") func initialEnd() {
    #expect(
      text(body(ScriptedWatch([.initialEventsEnd(version: 592)])).next())
        == #"{"type":"BOOKMARK","object":{"kind":"Workflow","apiVersion":"workflow.example.com/v1alpha1","metadata":{"resourceVersion":"592","annotations":{"k8s.io/initial-events-end":"true"}}}}"#
        + "\n")
    #expect(
      text(body(ScriptedWatch([.initialEventsEnd(version: 592)]), form: .partial(.v1)).next())
        == #"{"type":"BOOKMARK","object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"592","annotations":{"k8s.io/initial-events-end":"true"}}}}"#
        + "\n")
  }

  @Test("W15: not without allowWatchBookmarks") func initialEndUnasked() {
    #expect(wait(body(ScriptedWatch([.initialEventsEnd(version: 592)]), bookmarks: false).next()) == .seconds(300))
  }

  @Test("T3: in a table watch every event is a table with one row, bookmarks too") func tables() throws {
    let body = body(ScriptedWatch([.events([WatchEvent(.modified, a)]), .initialEventsEnd(version: 9)]), form: .table(.v1, .metadata))
    let event = try JSONValue(parsing: #require(text(body.next())))
    #expect(event["object"]?["kind"] == "Table" && event["object"]?["rows"]?.array?.count == 1)
    let bookmark = try JSONValue(parsing: #require(text(body.next())))
    let row = try #require(bookmark["object"]?["rows"]?.array?.first)
    #expect(row["cells"]?.array?.count == bookmark["object"]?["columnDefinitions"]?.array?.count)
    #expect(row["object"]?["metadata"]?["annotations"]?["k8s.io/initial-events-end"] == "true")
    #expect(bookmark["object"]?["metadata"]?["resourceVersion"] == "9")
  }

  @Test("W10: bookmarks every minute and shortly before the end") func bookmarks() throws {
    let watch = ScriptedWatch([])
    let body = body(watch, seconds: 100)
    #expect(wait(body.next()) == .seconds(60))
    clock.advance(by: .seconds(60))
    let bookmark = try #require(text(body.next()))
    #expect(
      bookmark
        == #"{"type":"BOOKMARK","object":{"kind":"Workflow","apiVersion":"workflow.example.com/v1alpha1","metadata":{"resourceVersion":"42"}}}"#
        + "\n")
    #expect(wait(body.next()) == .seconds(38))
    clock.advance(by: .seconds(38))
    #expect(text(body.next())?.contains("BOOKMARK") == true)
    #expect(wait(body.next()) == .seconds(2))
    clock.advance(by: .seconds(2))
    #expect(isEnd(body.next()))
    #expect(watch.isCancelled)
  }

  @Test("W10: no bookmark while the initial state is not told") func noEarlyBookmark() {
    let body = body(ScriptedWatch([], version: 0))
    clock.advance(by: .seconds(60))
    #expect(text(body.next()) == nil)
  }

  @Test("W4: a watcher that fell behind gets one ERROR with code and reason, then the end") func expired() throws {
    let body = body(ScriptedWatch([.expired(version: 230, requested: 1)]))
    #expect(
      text(body.next())
        == #"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (230)","reason":"Expired","code":410}}"#
        + "\n")
    #expect(isEnd(body.next()))
  }

  @Test("W9, W11: time-out and shutdown end it cleanly") func ends() {
    let first = body(ScriptedWatch([]), seconds: 10)
    clock.advance(by: .seconds(10))
    #expect(isEnd(first.next()))
    let watch = ScriptedWatch([])
    let second = body(watch)
    second.finish()
    #expect(isEnd(second.next()) && watch.isCancelled)
  }

  @Test("An event is encoded once per form; a table once per second") func sharing() {
    let events = WatchEventEncoder()
    let event = WatchEvent(.added, a)
    func address(_ bytes: [UInt8]) -> UnsafeRawPointer? { bytes.withUnsafeBytes { $0.baseAddress } }
    let plain = events.line(event, Samples.encoder(.plain))
    #expect(address(events.line(event, Samples.encoder(.plain, now: Samples.noon + .seconds(9)))) == address(plain))
    #expect(events.line(event, Samples.encoder(.partial(.v1))) != plain)
    let table = events.line(event, Samples.encoder(.table(.v1, .none)))
    #expect(address(events.line(event, Samples.encoder(.table(.v1, .none)))) == address(table))
    #expect(events.line(event, Samples.encoder(.table(.v1, .none), now: Samples.noon + .seconds(60))) != table)
  }

  @Test("The cache forgets, and never mixes objects up") func cacheBound() {
    let events = WatchEventEncoder(capacity: 4)
    for index in 0..<100 {
      let object = Samples.workflow("w\(index)", version: UInt64(index + 1))
      #expect(events.line(WatchEvent(.added, object), Samples.encoder(.plain)).text.contains("\"w\(index)\""))
    }
  }

  @Test("The cache is bounded by memory, too") func cacheBytes() {
    let events = WatchEventEncoder(byteCapacity: 50_000)
    for index in 0..<1000 {
      let object = Samples.workflow("w\(index)", version: UInt64(index + 1))
      #expect(events.line(WatchEvent(.added, object), Samples.encoder(.plain)).text.contains("\"w\(index)\""))
      #expect(events.bytes <= 50_000)
    }
    #expect(events.bytes > 20_000)
  }
}
