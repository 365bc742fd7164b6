import HTTPMessage
import InMemoryAdapter
import JSON
import KubeWire
import OrderedCollections
import Testing

@testable import APIServer

/// Writes of the status, from the request to the in-memory engine and back.
@Suite(.timeLimit(.minutes(10))) struct RouterStatusTests {
  private static let collection = "/namespaces/default/workflows"
  private static let a = collection + "/a"

  @Test("C23: the phase is told to the engine, what it owns is kept, and a Warning says so") func phase() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let answer = await server.patch(
        Self.a + "/status", .merge, #"{"status":{"phase":"Running","startTime":"2024-01-15T10:30:00Z"}}"#)
      #expect(answer.status == 200 && answer.json["status"]?["phase"] == "Running", "\(answer.message)")
      #expect(answer.warnings.contains { $0.contains("status.startTime") })
      #expect(answer.json["status"]?["startTime"]?.string?.hasPrefix("2024") == false)
      #expect(answer.json["metadata"]?["generation"] == 1)
      #expect(server.engine.calls(.setState) == 1)
      // Once more: it is so already.
      _ = await server.patch(Self.a + "/status", .merge, #"{"status":{"phase":"Running"}}"#)
      #expect(server.engine.calls(.setState) == 1)
      let done = await server.patch(Self.a + "/status", .merge, #"{"status":{"phase":"Succeeded"}}"#)
      #expect(done.json["status"]?["phase"] == "Succeeded" && done.json["status"]?["completionTime"] != nil)
      let back = await server.patch(Self.a + "/status", .merge, #"{"status":{"phase":"Running"}}"#)
      #expect(back.status == 200 && back.json["status"]?["phase"] == "Succeeded" && back.warnings.contains { $0.contains("retry") })
      #expect(await server.patch(Self.a + "/status", .merge, #"{"status":{"phase":"Zork"}}"#).status == 422)
    }
  }

  @Test("C16: only the status; members and conditions of others are kept, beside those of the engine") func others() async throws {
    try await TestServer.run { server in
      let made = await server.make("a")
      var object = made
      object["metadata"]?["labels"] = ["x": "y"]
      object["spec"]?["timeout"] = "9h"
      object["status"]?["kopf"] = ["progress": ["handler": "done"]]
      object["status"]?["conditions"] = [["type": "Approved", "status": "True"]]
      let put = await server.put(Self.a + "/status", object)
      #expect(put.status == 200 && put.json["status"]?["kopf"]?["progress"]?["handler"] == "done", "\(put.message)")
      #expect(
        put.json["metadata"]?["labels"]?["x"] == nil && put.json["spec"]?["timeout"] == nil && put.json["metadata"]?["generation"] == 1)
      let types = put.json["status"]?["conditions"]?.array?.compactMap { $0["type"]?.string } ?? []
      #expect(types.contains("Ready") && types.contains("Approved"))
      let stale = await server.put(Self.a + "/status", object)
      #expect(stale.status == 409)
      // The main endpoint does not touch it.
      var main = put.json
      main["status"] = nil
      let kept = await server.put(Self.a, main)
      #expect(
        kept.status == 200 && kept.json["status"]?["kopf"] != nil
          && kept.json["metadata"]?["resourceVersion"] == put.json["metadata"]?["resourceVersion"])
      let gone = await server.patch(Self.a + "/status", .json, #"[{"op":"remove","path":"/status/kopf"}]"#)
      #expect(gone.status == 200 && gone.json["status"]?["kopf"] == nil && gone.json["status"]?["phase"] != nil, "\(gone.message)")
    }
  }

  @Test("E3: conditions have a type each, each another, and say True, False or Unknown") func conditions() async throws {
    try await TestServer.run { server in
      _ = await server.make("a")
      for (conditions, cause) in [
        (#"[{"status":"True"}]"#, "status.conditions[0].type: Required value"),
        (
          #"[{"type":"A","status":"yes"}]"#,
          #"status.conditions[0].status: Unsupported value: "yes": supported values: "True", "False", "Unknown""#
        ),
        (#"[{"type":"A","status":"True"},{"type":"A","status":"False"}]"#, #"status.conditions[1].type: Duplicate value: "A""#),
      ] {
        let answer = await server.patch(Self.a + "/status", .merge, #"{"status":{"conditions":\#(conditions)}}"#)
        #expect(answer.status == 422 && answer.message.hasSuffix(cause), "\(answer.status) \(answer.message)")
      }
      #expect(server.engine.calls(.setOverlay) == 0)
    }
  }

  @Test("Without the ability a phase is 405 and says why; without a place the rest is dropped with a Warning") func withoutAbilities()
    async throws
  {
    let server = TestServer {
      $0.lacks = [.setState, .setOverlay]
      $0.limitations = ["setState": "this engine knows best"]
    }
    try await server.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let phase = await server.patch(Self.a + "/status", .merge, #"{"status":{"phase":"Running"}}"#)
      #expect(phase.status == 405 && phase.message.contains("this engine knows best"), "\(phase.message)")
      let mine = await server.patch(Self.a + "/status", .merge, #"{"status":{"mine":1}}"#)
      #expect(mine.status == 200 && mine.json["status"]?["mine"] == nil && mine.warnings.contains { $0.contains("status.mine") })
    }
  }
}
