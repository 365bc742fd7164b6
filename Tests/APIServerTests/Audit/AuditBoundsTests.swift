import HTTPMessage
import InMemoryAdapter
import JSON
import KubeWire
import Logging
import OrderedCollections
import Synchronization
import Testing
import Translation

@testable import APIServer

/// Who may fill the log, with how much; and that no write gets past it.
@Suite(.timeLimit(.minutes(10))) struct AuditBoundsTests {
  private static let collection = TestServer.base + "/namespaces/default/workflows"

  /// Denies the user `eve`.
  private struct NotEve: Authorizer {
    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
      attributes.user.name == "eve" ? .denied(reason: "") : .allowed
    }
  }

  private static func run(
    _ level: AuditLevel, clock: any TimeSource = SystemClock(),
    _ body: @escaping @Sendable (TestServer, APIServerResponder, MemorySink) async throws -> Void
  ) async throws {
    try await TestServer().run { server in
      let sink = MemorySink()
      var policy = AuditPolicy(rules: [AuditPolicy.Rule(level)])
      policy.omitStages = [.requestReceived]
      let metrics = ServerMetrics()
      let responder = APIServerResponder(
        gateway: server.gateway,
        authenticator: StandardAuthenticator(tokens: ["jane": UserInfo(name: "jane"), "eve": UserInfo(name: "eve")]),
        authorizer: NotEve(), metrics: metrics, auditor: Auditor(policy: policy, sink: sink, metrics: metrics),
        logger: Logger(label: "test"),
        clock: clock)
      try await body(server, responder, sink)
    }
  }

  private static func request(
    _ user: String, _ method: String, _ path: String = collection, query: String = "", type: String = "application/json", body: String = ""
  ) -> HTTPRequest {
    HTTPRequest(
      method: method, path: path, query: query, headers: ["Authorization": "Bearer \(user)", "Content-Type": type], body: Array(body.utf8))
  }

  @Test("what somebody sends who may not send it is not in the log", arguments: [AuditLevel.metadata, .request, .requestResponse])
  func denied(_ level: AuditLevel) async throws {
    try await Self.run(level) { _, responder, sink in
      let body = TestServer.manifest("mallory", more: #","status":{"x":"\#(String(repeating: "x", count: 100_000))"}"#)
      #expect(await responder.respond(to: Self.request("eve", "POST", body: body)).status == 403)
      var impersonating = Self.request("jane", "POST", body: body)
      impersonating.headers["Impersonate-" + String(repeating: "x", count: 100_000)] = "root"
      #expect(await responder.respond(to: impersonating).status == 403)
      let query = "fieldManager=" + String(repeating: "x", count: 100_000)
      #expect(await responder.respond(to: Self.request("nobody", "POST", query: query, body: body)).status == 401)
      let events = sink.take()
      #expect(events.map { $0["responseStatus"]?["code"] } == [403, 403, 401])
      for event in events {
        #expect(event["requestObject"] == nil && event["objectRef"]?["name"] == nil && event.encoded.count < 12_000)
      }
    }
  }

  @Test("nor is what no handler could read; of the rest there is only so much") func unread() async throws {
    try await Self.run(.request) { server, responder, sink in
      _ = await responder.respond(to: Self.request("jane", "POST", type: "text/plain", body: TestServer.manifest("plain")))
      _ = await responder.respond(to: Self.request("jane", "POST", body: #"{"kind":"Other","metadata":{"name":"other"}}"#))
      for event in sink.take() { #expect(event["requestObject"] == nil && event["objectRef"]?["name"] == nil) }
    }
    try await Self.run(.metadata) { _, responder, sink in
      let long = String(repeating: "é", count: 500_000)
      #expect(await responder.respond(to: Self.request("jane", "POST", body: TestServer.manifest(long))).status == 422)
      let event = sink.take()[0]
      #expect(event["objectRef"]?["name"]?.string?.utf8.count == 252 && event["responseStatus"]?["code"] == 422)
      #expect(event.encoded.count < 20_000, "\(event.encoded.count)")
    }
  }

  /// The body that hung the server, from a stranger: nobody reads it.
  @Test("a denied body is not parsed") func notParsed() async throws {
    try await Self.run(.request) { _, responder, sink in
      let body = "- " + String(repeating: "-&", count: 200_000) + "\n*x\n"
      let request = Self.request("eve", "POST", type: "application/yaml", body: body)
      #expect(await responder.respond(to: request).status == 403)
      #expect(sink.take()[0]["requestObject"] == nil)
    }
  }

  @Test("a write that goes on after its 504 has a second event, with the run") func late() async throws {
    // However long the gateway, by its own clock, takes to get there.
    let clock = TestClock(SystemClock().now + .seconds(3600))
    try await Self.run(.requestResponse, clock: clock) { server, responder, sink in
      server.engine.pause(.submit)
      var request = Self.request("jane", "POST", query: "timeout=5s", body: TestServer.manifest("slow"))
      request.headers["Audit-Id"] = "slow-1"
      let answer = Task { [request] in await responder.respond(to: request) }
      while server.engine.calls(.submit) == 0 { await Task.yield() }
      let mover = Task {
        while !Task.isCancelled {
          clock.advance(by: .seconds(1))
          await Task.yield()
        }
      }
      #expect(await answer.value.status == 504)
      mover.cancel()
      let first = sink.take()
      #expect(first.count == 1 && first[0]["responseStatus"]?["code"] == 504 && first[0]["objectRef"]?["name"] == "slow")
      #expect(first[0]["annotations"]?["workflow.example.com/run-id"] == nil)
      server.engine.resume(.submit)
      while sink.events.isEmpty { await Task.yield() }
      let second = sink.take()
      #expect(second.count == 1 && second[0]["auditID"] == "slow-1" && second[0]["stage"] == "ResponseComplete")
      #expect(second[0]["objectRef"]?["name"] == "slow" && second[0]["user"]?["username"] == "jane")
      #expect(second[0]["responseStatus"]?["code"] == 504 && second[0]["annotations"]?["workflow.example.com/late-result"] == "201")
      #expect(second[0]["annotations"]?["workflow.example.com/run-id"]?.string?.isEmpty == false)
      #expect(second[0]["annotations"]?["workflow.example.com/backend"] == "memory")
      #expect(second[0]["annotations"]?["authorization.k8s.io/decision"] == "allow")
    }
  }

  @Test("paths that are none are answered to somebody, and written down") func malformedPaths() async throws {
    try await Self.run(.metadata) { _, responder, sink in
      for path in ["/" + Self.collection + "/a", Self.collection + "/%zz", Self.collection + "/" + String(repeating: "x", count: 5000)] {
        #expect(await responder.respond(to: Self.request("wrong", "DELETE", path)).status == 401)
        #expect(sink.take().map { $0["responseStatus"]?["code"] } == [401])
        let answer = await responder.respond(to: Self.request("jane", "DELETE", path))
        let event = sink.take()[0]
        #expect(event["user"]?["username"] == "jane" && event["verb"] == "delete" && event["objectRef"] == nil)
        #expect(event["requestURI"] == .string(path) && event["responseStatus"]?["code"]?.int == Int64(answer.status))
      }
    }
  }
}
