import Foundation
import JSON
import OrderedCollections
import Testing

@testable import EngineCore

@Suite struct FaultModeTests {
  private static let body = #"{"steps":[{"name":"a","command":["true"]}]}"#

  private func run(_ body: (TestEngine) async throws -> Void) async throws { try await TestEngine.run({ $0.allowFaults = true }, body) }

  @Test func withoutTheFlagTheyAreIgnored() async throws {
    try await TestEngine.run { (engine) async throws in
      #expect(try await engine.call("GET", "/v1/jobs", headers: ["X-Fault": "503"]).status == 200)
    }
  }

  @Test func statuses() async throws {
    try await run { (engine) async throws in
      #expect(try await engine.call("POST", "/v1/jobs", Self.body, headers: ["X-Fault": "status=500"]).status == 500)
      let limited = try await engine.call("GET", "/v1/jobs", headers: ["X-Fault": "429=7"])
      #expect(limited.status == 429 && limited.headers["retry-after"] == "7")
      #expect(try await engine.call("GET", "/v1/jobs").json["items"] == [])
      #expect(try await engine.call("GET", "/v1/jobs", headers: ["X-Fault": "nonsense"]).status == 422)
    }
  }

  @Test func closedBeforeNothingIsDoneClosedAfterItIs() async throws {
    try await run { (engine) async throws in
      #expect(try await engine.call("POST", "/v1/jobs", Self.body, headers: ["X-Fault": "close-before"]).status == 0)
      #expect(try await engine.call("GET", "/v1/jobs").json["items"]?.array?.count == 0)
      #expect(try await engine.call("POST", "/v1/jobs", Self.body, headers: ["X-Fault": "close-after"]).status == 0)
      #expect(try await engine.call("GET", "/v1/jobs").json["items"]?.array?.count == 1)
      #expect(engine.requests[0].hasSuffix("POST /v1/jobs - 0 fault=close-before"))
      #expect(engine.requests[2].hasSuffix("POST /v1/jobs - 0 fault=close-after"))
    }
  }

  @Test func partialPages() async throws {
    try await run { (engine) async throws in
      _ = try await engine.call("POST", "/v1/jobs", Self.body)
      let cut = try await engine.call("GET", "/v1/jobs", headers: ["X-Fault": "partial-page"])
      #expect(try cut.status == 200 && cut.body.count < #require(cut.headers["content-length"].flatMap { Int($0) }))
      let broken = try await engine.call("GET", "/v1/jobs", headers: ["X-Fault": "partial-page=json"])
      #expect(broken.headers["content-length"] == String(broken.body.count))
      #expect(throws: JSONError.self) { try broken.json }
    }
  }

  @Test func slowAnswersAndSkewedClocks() async throws {
    try await run { (engine) async throws in
      let begin = ContinuousClock.now
      #expect(try await engine.call("GET", "/v1/jobs", headers: ["X-Fault": "slow=150"]).status == 200)
      #expect(ContinuousClock.now - begin >= .milliseconds(150))
      let id = try #require(try await engine.call("POST", "/v1/jobs", Self.body).json["id"]?.string)
      let straight = try #require(try await engine.job(id)["createdAt"]?.string.flatMap { Timestamp($0) })
      let skewed = try await engine.call("GET", "/v1/jobs/\(id)", headers: ["X-Fault": "clock-skew=-3600"]).json
      #expect(skewed["createdAt"]?.string == Timestamp(microseconds: straight.microseconds - 3_600_000_000).description)
    }
  }

  @Test func setAtRunTimeWithCountAndMatch() async throws {
    try await run { (engine) async throws in
      let set = try await engine.call("PUT", "/v1/faults", #"{"faults":["503;count=1;method=GET;path=/v1/jobs*;retryAfter=2"]}"#)
      #expect(try set.json["faults"] == ["status=503;retryAfter=2;count=1;method=GET;path=/v1/jobs*"])
      #expect(try await engine.call("POST", "/v1/jobs", Self.body).status == 201)
      #expect(try await engine.call("GET", "/v1/jobs?limit=1").status == 503)
      #expect(try await engine.call("GET", "/v1/jobs").status == 200)
      #expect(try await engine.call("GET", "/v1/faults").json["faults"] == [])
      #expect(try await engine.call("PUT", "/v1/faults", #"{"faults":["boom"]}"#).status == 422)
      _ = try await engine.call("PUT", "/v1/faults", #"{"faults":["500"]}"#)
      #expect(try await engine.call("GET", "/v1/jobs").status == 500)
      #expect(try await engine.call("DELETE", "/v1/faults").status == 200)
      #expect(try await engine.call("GET", "/v1/jobs").status == 200)
    }
  }

  @Test func aForgottenJobIsLostWithoutATombstone() async throws {
    try await run { (engine) async throws in
      let start = try #require(try await engine.call("GET", "/v1/jobs").json["latestSeq"]?.int)
      let id = try await engine.shell("sleep 300")
      #expect(try await engine.call("PUT", "/v1/faults", #"{"faults":["forget=\#(id)"]}"#).status == 200)
      #expect(try await engine.call("GET", "/v1/jobs/\(id)").status == 404)
      let changes = try await engine.call("GET", "/v1/jobs?changedSince=\(start)").json
      #expect(changes["items"] == [] && changes["deletionsComplete"] == true)
    }
  }
}
