import AdapterKit
import HTTPMessage
import InMemoryAdapter
import JSON
import OrderedCollections
import Testing
import Translation

@testable import APIServer

/// Creates that meet each other, lost answers, and namespaces that are not shown: one request makes one run at most.
@Suite(.timeLimit(.minutes(10))) struct RouterCreateTests {
  private static let collection = "/namespaces/default/workflows"
  private static let generated = #"{"metadata":{"generateName":"g-"},"spec":{"steps":[{"name":"s","command":["true"]}]}}"#

  private func waitFor(_ condition: () -> Bool) async throws {
    for _ in 0..<12_000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
    try #require(condition())
  }

  @Test("C10: of many creates of one name one wins, the others hear AlreadyExists; dry runs only look") func together() async throws {
    try await TestServer.run { server in
      server.engine.pause(.submit)
      let answers = try await withThrowingTaskGroup(of: TestServer.Answer.self) { group in
        for _ in 0..<8 { group.addTask { await server.post(Self.collection, TestServer.manifest("a")) } }
        try await self.waitFor { server.engine.calls(.submit) > 0 }
        let dry = await server.post(Self.collection, TestServer.manifest("a"), query: "dryRun=All")
        #expect(dry.status == 201, "nothing of that name is there yet: \(dry.message)")
        // All losers are answered while the winner still waits for its engine.
        var answers: [TestServer.Answer] = []
        for _ in 0..<7 { answers.append(try #require(try await group.next())) }
        server.engine.resume(.submit)
        answers.append(try #require(try await group.next()))
        return answers
      }
      #expect(answers.map(\.status) == Array(repeating: 409, count: 7) + [201])
      for answer in answers.prefix(7) { #expect(answer.json["reason"] == "AlreadyExists", "\(answer.message)") }
      #expect(server.engine.calls(.submit) == 1 && server.engine.keys.count == 1)
      let dry = await server.post(Self.collection, TestServer.manifest("a"), query: "dryRun=All")
      #expect(dry.status == 409 && dry.json["reason"] == "AlreadyExists", "\(dry.message)")
    }
  }

  @Test("A lost answer, and a run that does not tell whose it is: no other name is tried") func generatedInDoubt() async throws {
    try await TestServer.run { server in
      server.engine.pause(.find)
      server.engine.failNext(.submit, .lostAnswer)
      async let answer = server.post(Self.collection, Self.generated)
      try await self.waitFor { server.engine.calls(.find) > 0 }
      try server.engine.dropEnvelope(try #require(server.engine.keys.first))
      server.engine.resume(.find)
      let lost = await answer
      #expect(lost.status == 504 && lost.response.headers["Retry-After"] == nil, "\(lost.message)")
      #expect(server.engine.calls(.submit) == 1 && server.engine.keys.count == 1)
    }
  }

  @Test("Nothing is submitted into a namespace that is not shown") func hidden() async throws {
    try await TestServer.run { server in
      server.gateway.setNamespace("default", isHidden: true)
      for body in [TestServer.manifest("a"), Self.generated] {
        let answer = await server.post(Self.collection, body)
        #expect(answer.status == 503 && answer.response.headers["Retry-After"] == "1", "\(answer.message)")
        #expect(answer.message.contains("is not shown at the moment"), "\(answer.message)")
      }
      #expect(server.engine.calls(.submit) == 0)
      server.gateway.setNamespace("default", isHidden: false)
      #expect(await server.post(Self.collection, TestServer.manifest("a")).status == 201)
    }
  }

  @Test("A run that was taken and does not appear is named, and not submitted again") func hiddenMeanwhile() async throws {
    try await TestServer.run { server in
      server.engine.pause(.submit)
      async let answer = server.post(Self.collection, Self.generated)
      try await self.waitFor { server.engine.calls(.submit) > 0 }
      server.gateway.setNamespace("default", isHidden: true)
      server.engine.resume(.submit)
      let taken = await answer
      #expect(taken.status == 500 && taken.response.headers["Retry-After"] == nil, "\(taken.message)")
      let key = try #require(server.engine.keys.first)
      #expect(taken.message.contains(key.description) && taken.message.contains("do not submit it again"), "\(taken.message)")
      #expect(server.engine.calls(.submit) == 1)
    }
  }
}
