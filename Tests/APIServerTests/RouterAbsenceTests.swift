import AdapterKit
import HTTPMessage
import InMemoryAdapter
import JSON
import OrderedCollections
import Testing

@testable import APIServer

/// Writes to an object whose engine says 404. The cluster's garbage collector acts on ours, so it takes proof (design §5).
@Suite(.timeLimit(.minutes(10))) struct RouterAbsenceTests {
  private static let collection = "/namespaces/default/workflows"
  private static let a = collection + "/a"

  private func writes(_ server: TestServer) async -> [(String, TestServer.Answer)] {
    var answers: [(String, TestServer.Answer)] = []
    for index in 0..<6 { answers.append(await write(index, server)) }
    return answers
  }

  @Test("What may only be out of sight is not 404") func unproven() async throws {
    try await TestServer.run { server in
      let made = await server.make("a")
      server.engine.hide(project: "default")
      for (write, answer) in await self.writes(server) {
        #expect(answer.status == 503 && answer.response.headers["Retry-After"] == "1", "\(write): \(answer.status) \(answer.message)")
      }
      let both = await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"x":"y"}},"spec":{"suspend":true}}"#)
      #expect(both.status == 503, "\(both.message)")
      let listed = await server.get(Self.collection, query: "resourceVersion=0")
      #expect(listed.json["items"]?.array?.first?["metadata"]?["uid"] == made["metadata"]?["uid"])
      server.engine.hide(project: "default", false)
      #expect(await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"x":"y"}}}"#).status == 200)
    }
  }

  @Test("What is proven gone is 404, and not shown any more", arguments: 0..<6) func proven(_ index: Int) async throws {
    try await TestServer.run { server in
      let made = await server.make("a")
      let version = made["metadata"]?["resourceVersion"]?.string ?? ""
      try server.engine.remove(try #require(server.engine.keys.first))
      let (write, answer) = await self.write(index, server)
      // A delete of what is gone has what it wants.
      let isRight = answer.status == 404 || write == "delete" && answer.status == 200
      #expect(isRight, "\(write): \(answer.status) \(answer.message)")
      let listed = await server.get(Self.collection, query: "resourceVersion=0")
      #expect(listed.json["items"]?.array?.isEmpty == true)
      let watch = await server.get(Self.collection, query: "watch=true&resourceVersion=\(version)")
      guard case .stream(let stream) = watch.response.body else {
        Issue.record("no stream: \(watch.message)")
        return
      }
      let reader = WatchReader(stream)
      let event = try #require(await reader.next())
      #expect(event["type"] == "DELETED", "\(event)")
      reader.cancel()
    }
  }

  private func write(_ index: Int, _ server: TestServer) async -> (String, TestServer.Answer) {
    switch index {
    case 0: ("labels", await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"x":"y"}}}"#))
    case 1: ("suspend", await server.patch(Self.a, .merge, #"{"spec":{"suspend":true}}"#))
    case 2: ("phase", await server.patch(Self.a + "/status", .merge, #"{"status":{"phase":"Failed"}}"#))
    case 3: ("cancel", await server.post(Self.a + "/cancel", ""))
    case 4: ("foreground", await server.send("DELETE", Self.a, query: "propagationPolicy=Foreground"))
    default: ("delete", await server.send("DELETE", Self.a))
    }
  }
}
