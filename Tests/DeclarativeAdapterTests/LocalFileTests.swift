import AdapterKit
import DeclarativeAdapter
import Foundation
import JSON
import OrderedCollections
import Testing

/// The built-in engine's file against canned answers: what the examples in the file cannot say in one call.
@Suite struct LocalFileTests {
  func local(_ transport: any HTTPTransport, _ clock: AdapterClock = TestClock().clock) throws -> DeclarativeAdapter {
    let file = try AdapterFile.read(AdapterFileTests.root.appendingPathComponent("adapters/local").path)
    return try DeclarativeAdapterFactory.make(file, context(transport, .emptyObject, ["token": "tok-12345"]), clock: clock)
  }

  static func row(_ id: String, _ state: String = "running", seq: Int64 = 1) -> JSONValue {
    [
      "kind": "job", "id": .string(id), "state": .string(state), "attempt": 1, "seq": .int(seq), "trigger": "api", "suspended": false,
      "createdAt": "2026-11-22T19:00:00.000000Z", "progress": ["done": 0, "total": 1], "steps": [], "parameters": [:], "labels": [:],
      "envelope": ["uid": "u"],
    ]
  }

  @Test func changesGoOnOverPagesFromTheFirstPagesMark() async throws {
    let stub = StubTransport { (request: TransportRequest) async throws(TransportError) in
      let path = String(request.url.dropFirst("http://e.test".count))
      switch path {
      case "/v1/version": return .json(["latestSeq": 10])
      case "/v1/jobs?changedSince=10&limit=500":
        return .json(["items": [Self.row("a", seq: 11)], "nextCursor": "c1", "latestSeq": 12, "deletionsComplete": true])
      case "/v1/jobs?changedSince=10&limit=500&cursor=c1":
        return .json([
          "items": [["id": "gone", "deleted": true, "seq": 12], Self.row("b", "succeeded", seq: 13)], "latestSeq": 13,
          "deletionsComplete": true,
        ])
      case "/v1/schedules?changedSince=10&limit=500": return .json(["items": [], "latestSeq": 13, "deletionsComplete": true])
      case "/v1/jobs?changedSince=12&limit=500": return .json(["error": ["code": "unknownSeq", "message": "who?"]], status: 410)
      case "/v1/schedules?changedSince=13&limit=500": return .json(["items": [], "latestSeq": 13, "deletionsComplete": false])
      default: throw TransportError(.invalidRequest, path, mayHaveBeenSent: false)
      }
    }
    let adapter = try local(stub)
    let now = Timestamp(seconds: 0)
    let start = try await adapter.changes(AdapterScope(), since: nil, now: now)
    #expect(start.observations.isEmpty && !start.more)
    let first = try await adapter.changes(AdapterScope(), since: start.mark, now: now)
    #expect(first.observations.map(\.key.id) == ["a"] && first.more && first.complete)
    let second = try await adapter.changes(AdapterScope(), since: first.mark, now: now)
    #expect(second.observations.map(\.key.id) == ["b"] && second.deleted.map(\.id) == ["gone"] && !second.more)
    #expect(second.mark["runs"] == 12)
    // The engine is another one: a full sweep is needed, and the next call begins anew.
    let third = try await adapter.changes(AdapterScope(), since: second.mark, now: now)
    #expect(!third.complete && !third.more)
    let fourth = try await adapter.changes(AdapterScope(), since: third.mark, now: now)
    #expect(fourth.mark["runs"] == 10)
  }

  @Test func listGoesFromJobsToSchedules() async throws {
    let stub = StubTransport([
      .json(["items": [Self.row("a")], "nextCursor": "n"]), .json(["items": [Self.row("b")]]),
      .json([
        "items": [
          [
            "id": "s", "schedule": "* * * * *", "suspended": true, "seq": 3, "createdAt": "2026-11-22T19:00:00Z", "parameters": [:],
            "labels": [:],
            "overlay": ["x": 1],
          ]
        ]
      ]),
    ])
    let adapter = try local(stub)
    var found: [Observation] = []
    var cursor: JSONValue?
    repeat {
      let page = try await adapter.list(AdapterScope(), since: nil, cursor: cursor)
      #expect(page.unreadable == [])
      found += page.observations
      cursor = page.next
    } while cursor != nil
    #expect(found.map(\.key) == [RunKey(id: "a"), RunKey(id: "b"), RunKey(kind: .schedule, id: "s")])
    #expect(stub.lines == ["GET /v1/jobs?limit=500", "GET /v1/jobs?limit=500&cursor=n", "GET /v1/schedules?limit=500"])
    #expect(found[2].envelope == .absent && found[2].overlay == .present(["x": 1]))
    guard case .present(let core) = found[2].core else { throw CancellationError() }
    #expect(core.phase == .running && core.reason == "Suspended" && core.schedule == "* * * * *")
  }

  @Test func schedulesAreMadeWhereSchedulesLive() async throws {
    let stub = StubTransport([
      .json(
        [
          "id": "s", "schedule": "0 3 * * *", "suspended": false, "seq": 3, "createdAt": "2026-11-22T19:00:00Z", "parameters": [:],
          "labels": [:],
          "envelope": ["uid": "u1"],
        ], status: 201)
    ])
    var scheduled = submission
    scheduled.schedule = "0 3 * * *"
    let observation = try await local(stub).submit(scheduled)
    #expect(observation.key == RunKey(kind: .schedule, id: "s"))
    #expect(stub.lines == ["POST /v1/schedules"])
    #expect(stub.requests[0].json?["steps"] == nil)
    #expect(stub.requests[0].json?["schedule"] == "0 3 * * *")
    #expect(stub.requests[0].header("authorization") == "Bearer tok-12345")
  }

  @Test func inlineStepsKeepTheirShape() async throws {
    let stub = StubTransport([.json(Self.row("a"), status: 201)])
    var inline = submission
    inline.template = nil
    inline.timeout = .seconds(1800)
    inline.steps = [
      InlineStep(name: "build", image: "golang:1.21", command: ["go"], args: ["build"], environment: [.init(name: "A", value: "b")]),
      InlineStep(name: "test", command: ["true"]),
    ]
    _ = try await local(stub).submit(inline)
    #expect(
      stub.requests[0].json == [
        "name": "ns.name",
        "steps": [
          ["name": "build", "image": "golang:1.21", "command": ["go"], "args": ["build"], "env": ["A": "b"]],
          ["name": "test", "command": ["true"], "args": [], "env": [:]],
        ], "parameters": [:], "timeout": 1800, "suspended": false, "envelope": ["uid": "u1"], "idempotencyKey": "ns.name",
        "createdBy": "jane",
      ])
  }

  @Test func overlayIsWrittenWhereTheKindLives() async throws {
    let stub = StubTransport([.json([:]), .json([:]), .json(["overlay": ["a": 1]])])
    let adapter = try local(stub)
    try await adapter.setOverlay(["a": 1], of: RunKey(id: "j"), uid: "u", scope: AdapterScope())
    try await adapter.setOverlay(nil, of: RunKey(kind: .schedule, id: "s"), uid: "u", scope: AdapterScope())
    #expect(try await adapter.overlay(of: RunKey(id: "j"), uid: "u", scope: AdapterScope()) == ["a": 1])
    #expect(stub.lines == ["PATCH /v1/jobs/j", "PATCH /v1/schedules/s", "GET /v1/jobs/j"])
    #expect(stub.requests.map(\.json) == [["overlay": ["a": 1]], ["overlay": nil], nil])
    #expect(adapter.overlayComesWithRuns)
    let big = JSONValue.string(String(repeating: "x", count: 300_000))
    #expect(
      await #expect(throws: AdapterError.self) { try await adapter.setOverlay(big, of: RunKey(id: "j"), uid: "u", scope: AdapterScope()) }?
        .code == .invalid)
  }

  @Test func theLogIsPassedThrough() async throws {
    let stub = StubTransport([
      TransportResponse(status: 200, body: Array("[a] x\n".utf8)), .json(["error": ["message": "no job"]], status: 404),
    ])
    let adapter = try local(stub)
    let stream = try await adapter.log(RunKey(id: "j"), LogOptions(follow: true, tailLines: 5), scope: AdapterScope())
    var bytes: [UInt8] = []
    while let piece = try await stream.next() { bytes += piece }
    #expect(String(decoding: bytes, as: UTF8.self) == "[a] x\n")
    #expect(stub.lines == ["GET /v1/jobs/j/log?follow=true&tailLines=5"])
    let error = await #expect(throws: AdapterError.self) { try await adapter.log(RunKey(id: "j"), LogOptions(), scope: AdapterScope()) }
    #expect(error?.code == .notFound)
    #expect(error?.message == "no job")
  }
}
