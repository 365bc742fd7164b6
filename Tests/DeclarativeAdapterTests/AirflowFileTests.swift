import AdapterKit
import DeclarativeAdapter
import Foundation
import JSON
import OrderedCollections
import Synchronization
import Testing

/// Airflow's file against canned answers: what the examples in the file cannot say in one call.
@Suite struct AirflowFileTests {
  func airflow(_ transport: any HTTPTransport, _ clock: AdapterClock = TestClock().clock) throws -> DeclarativeAdapter {
    let file = try AdapterFile.read(AdapterFileTests.root.appendingPathComponent("adapters/airflow").path)
    let settings: JSONValue = ["auth": "token"]
    return try DeclarativeAdapterFactory.make(file, context(transport, settings, ["token": "tok-12345"]), clock: clock)
  }

  static func run(_ id: String, _ state: String, uid: String? = nil, queued: String = "2026-11-22T19:00:00.000001Z") -> JSONValue {
    [
      "dag_id": "etl", "dag_run_id": .string(id), "state": .string(state), "queued_at": .string(queued),
      "run_after": "2026-11-22T19:00:00Z",
      "start_date": "2026-11-22T19:00:01Z", "end_date": state == "running" ? nil : "2026-11-22T19:00:09Z", "run_type": "manual",
      "triggered_by": "rest_api", "note": nil,
      "conf": uid.map { ["workflow.example.com": ["key": .string(id), "uid": .string($0), "envelope": ["uid": .string($0)]]] } ?? [:],
    ]
  }

  static func variable(_ uid: String, attempt: String) -> JSONValue {
    let document: JSONValue = ["cancelled": ["attempt": .string(attempt)]]
    let text = document.text
    return ["key": .string("workflow." + uid), "value": .string(Data(text.utf8).base64EncodedString())]
  }

  func reasons(_ page: RunPage) -> [String?] {
    page.observations.map { if case .present(let core) = $0.core { core.reason } else { "unseen" } }
  }

  @Test func marksTellCancelledFromFailedAndAreReadOnce() async throws {
    let asked = Mutex(0)
    let stub = StubTransport { (request: TransportRequest) async throws(TransportError) in
      if request.url.contains("/variables/workflow.u1") { return .json(Self.variable("u1", attempt: "2026-11-22T19:00:00.000001Z")) }
      // A mark of an attempt before: this time the run failed by itself.
      if request.url.contains("/variables/workflow.u2") { return .json(Self.variable("u2", attempt: "2026-11-22T18:00:00.000001Z")) }
      if request.url.contains("/variables/") { return .json(["detail": "not found"], status: 404) }
      asked.withLock { $0 += 1 }
      return .json([
        "dag_runs": [
          Self.run("a", "failed", uid: "u1"), Self.run("b", "failed", uid: "u2"), Self.run("c", "failed"),
          Self.run("d", "success", uid: "u4"),
        ],
        "total_entries": 4,
      ])
    }
    let adapter = try airflow(stub)
    let page = try await adapter.list(AdapterScope(), since: nil, cursor: ["source": 1])
    #expect(reasons(page) == ["Cancelled", nil, nil, nil])
    #expect(page.observations.map(\.envelope) == [.present(["uid": "u1"]), .present(["uid": "u2"]), .absent, .present(["uid": "u4"])])
    #expect(stub.requests.count == 4)
    // A second sweep asks for no mark again.
    #expect(reasons(try await adapter.list(AdapterScope(), since: nil, cursor: ["source": 1])) == ["Cancelled", nil, nil, nil])
    #expect(stub.requests.count == 5)
  }

  @Test func manyMarksComeFromTheList() async throws {
    let stub = StubTransport { (request: TransportRequest) async throws(TransportError) in
      if request.url.contains("/variables?") {
        return .json([
          "variables": [Self.variable("u3", attempt: "2026-11-22T19:00:00.000001Z"), ["key": "workflow.x", "value": "spoilt"]],
          "total_entries": 2,
        ])
      }
      return .json(["dag_runs": .array((0..<9).map { Self.run("r\($0)", "failed", uid: "u\($0)") }), "total_entries": 9])
    }
    let page = try await airflow(stub).list(AdapterScope(), since: nil, cursor: ["source": 1])
    #expect(reasons(page).map { $0 ?? "-" } == ["-", "-", "-", "Cancelled", "-", "-", "-", "-", "-"])
    #expect(stub.requests.count == 2)
  }

  @Test func aRoleWithoutVariablesCanStillList() async throws {
    let stub = StubTransport { (request: TransportRequest) async throws(TransportError) in
      request.url.contains("/variables")
        ? .json(["detail": "Forbidden"], status: 403) : .json(["dag_runs": [Self.run("a", "failed")], "total_entries": 1])
    }
    #expect(try await airflow(stub).list(AdapterScope(), since: nil, cursor: ["source": 1]).observations.count == 1)
  }

  @Test func theScopeIsKept() async throws {
    let stub = StubTransport { (request: TransportRequest) async throws(TransportError) in
      .json(["dag_runs": [Self.run("a", "running")], "total_entries": 1])
    }
    let adapter = try airflow(stub)
    let other = AdapterScope(["dags": ["other"]])
    // The engine gave more than was asked for.
    #expect(try await adapter.list(other, since: nil, cursor: nil).observations.isEmpty)
    #expect(stub.requests[0].json?["dag_ids"] == ["other", "workflow_runner"])
    let key = RunKey(parent: "etl", id: "a")
    #expect(await #expect(throws: AdapterError.self) { try await adapter.get(key, scope: other) }?.code == .notFound)
    #expect(await #expect(throws: AdapterError.self) { try await adapter.delete(key, scope: other) }?.code == .notFound)
    var outside = submission
    outside.template = "etl"
    outside.scope = other
    #expect(await #expect(throws: AdapterError.self) { try await adapter.submit(outside) }?.code == .invalid)
    #expect(stub.requests.count == 1)
  }

  @Test func followReadsOnFromTheTokenUntilTheRunHasEnded() async throws {
    let round = Mutex(0)
    let stub = StubTransport { (request: TransportRequest) async throws(TransportError) in
      let path = request.url.dropFirst("http://e.test/api/v2/dags/etl/dagRuns/a".count)
      let state = round.withLock { round in
        if path.isEmpty { round += 1 }
        return round
      }
      func line(_ text: String) -> JSONValue {
        ["timestamp": "2026-11-22T19:00:01Z", "event": .string(text), "level": "info", "logger": "task.stdout"]
      }
      if path.isEmpty { return .json(Self.run("a", state < 3 ? "running" : "success")) }
      if path.hasPrefix("/taskInstances?") {
        var tasks: [JSONValue] = [
          [
            "task_id": "one", "dag_id": "etl", "map_index": -1, "try_number": 1, "start_date": "2026-11-22T19:00:01Z", "end_date": nil,
            "state": state < 2 ? "running" : "success",
          ]
        ]
        if state > 1 {
          tasks.append([
            "task_id": "two", "dag_id": "etl", "map_index": -1, "try_number": 1, "start_date": "2026-11-22T19:00:02Z", "end_date": nil,
            "state": "running",
          ])
        }
        return .json(["task_instances": .array(tasks), "total_entries": .int(Int64(tasks.count))])
      }
      switch path {
      case "/taskInstances/one/logs/1?map_index=-1": return .json(["content": [line("1")], "continuation_token": "t1"])
      case "/taskInstances/one/logs/1?map_index=-1&token=t1": return .json(["content": [line("2")], "continuation_token": "t2"])
      case "/taskInstances/two/logs/1?map_index=-1": return .json(["content": [line("3")], "continuation_token": "t3"])
      case "/taskInstances/two/logs/1?map_index=-1&token=t3": return .json(["content": [line("4")], "continuation_token": "t4"])
      default: return .json(["detail": .string("unexpected \(path)")], status: 400)
      }
    }
    let time = TestClock()
    let stream = try await airflow(stub, time.clock).log(RunKey(parent: "etl", id: "a"), LogOptions(follow: true), scope: AdapterScope())
    var pieces: [String] = []
    while let piece = try await stream.next() { pieces.append(String(decoding: piece, as: UTF8.self)) }
    // A finished task is read to its end once and then left alone.
    #expect(pieces == ["[one] 1\n", "[one] 2\n[two] 3\n", "[two] 4\n"])
    #expect(time.sleeps == 2)
  }

  @Test func aTemplateThatCannotBeReadHidesNoOther() async throws {
    let isDown = Mutex(false)
    let stub = StubTransport { (request: TransportRequest) async throws(TransportError) in
      if isDown.withLock({ $0 }), request.url.hasSuffix("/details") { return .json([:], status: 503) }
      if request.url.hasSuffix("/broken/details") { return .json(["detail": "import error"], status: 500) }
      if request.url.hasSuffix("/odd/details") { return .json(["params": "none"]) }
      if request.url.hasSuffix("/details") { return .json(["params": [:]]) }
      let rows: [JSONValue] = ["a", "broken", "odd", "z"].map { name in
        [
          "dag_id": .string(name), "is_paused": false, "is_stale": false, "last_parsed_time": "x", "description": nil,
          "timetable_summary": nil, "tags": [],
        ]
      }
      return .json(["dags": .array(rows + [["dag_id": 1, "is_stale": false]]), "total_entries": 5])
    }
    let page = try await airflow(stub).templates(AdapterScope(), cursor: nil)
    #expect(page.templates.map(\.name) == ["a", "z"] && page.unreadable.count == 3)
    #expect(page.unreadable.contains("broken: import error"))
    isDown.withLock { $0 = true }
    await #expect(throws: AdapterError.self) { try await airflow(stub).templates(AdapterScope(), cursor: nil) }
  }

  @Test func templatesAreAskedForTheirDetailsOnlyWhenParsedAnew() async throws {
    let parsed = Mutex("2026-11-22T19:00:00Z")
    let stub = StubTransport { (request: TransportRequest) async throws(TransportError) in
      if request.url.hasSuffix("/gone/details") { return .json(["detail": "not found"], status: 404) }
      if request.url.hasSuffix("/details") { return .json(["params": [:]]) }
      let row: (String, String) -> JSONValue = { name, time in
        [
          "dag_id": .string(name), "is_paused": false, "is_stale": false, "last_parsed_time": .string(time), "description": nil,
          "timetable_summary": nil, "tags": [],
        ]
      }
      return .json([
        "dags": [row("a", parsed.withLock { $0 }), row("b", "2026-11-22T19:00:00Z"), row("gone", "x"), row("workflow_runner", "x")],
        "total_entries": 4,
      ])
    }
    let adapter = try airflow(stub)
    #expect(try await adapter.templates(AdapterScope(), cursor: nil).templates.map(\.name) == ["a", "b"])
    #expect(stub.requests.count == 4)
    parsed.withLock { $0 = "2026-11-22T19:05:00Z" }
    #expect(try await adapter.templates(AdapterScope(), cursor: nil).templates.count == 2)
    #expect(
      stub.lines.dropFirst(4).sorted() == [
        "GET /api/v2/dags/a/details", "GET /api/v2/dags/gone/details", "GET /api/v2/dags?limit=100&offset=0&order_by=dag_id",
      ])
  }
}
