import InMemoryAdapter
import JSON
import KubeWire
import OrderedCollections
import Synchronization
import Testing
import Translation

@testable import APIServer

/// `requireUseVerb`: RBAC says who may use a backend.
@Suite(.timeLimit(.minutes(10)))
struct RouterUseVerbTests {
  /// Lets everybody do everything but use the backend, and remembers who was asked about.
  private final class NoUse: Authorizer {
    let uses = Mutex<[String]>([])
    let allows = Mutex(false)

    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
      let info = attributes.info
      guard info.verb == "use" else { return .allowed }
      uses.withLock { $0.append("\(attributes.user.name) \(info.group)/\(info.resource)/\(info.name) \(info.namespace ?? "-")") }
      return allows.withLock { $0 } ? .allowed : .denied(reason: "")
    }
  }

  private let path = "/namespaces/default/workflows"

  @Test("Every write asks for it, no read does") func writes() async throws {
    let authorizer = NoUse()
    try await TestServer(authorizer: authorizer, requiresUse: true).run { server in
      let refused = await server.post(path, TestServer.manifest("a"))
      #expect(refused.status == 403)
      #expect(
        refused.message
          == #"workflowbackends.workflow.example.com "memory" is forbidden: User "system:anonymous" cannot use resource "workflowbackends" in API group "workflow.example.com" at the cluster scope"#
      )
      #expect(authorizer.uses.withLock { $0 } == ["system:anonymous workflow.example.com/workflowbackends/memory -"])
      #expect(await server.get(path).json["items"]?.array?.isEmpty == true)

      authorizer.allows.withLock { $0 = true }
      #expect(await server.post(path, TestServer.manifest("a")).status == 201)
      authorizer.allows.withLock { $0 = false }
      let before = authorizer.uses.withLock { $0.count }
      #expect(await server.get(path).status == 200)
      #expect(await server.get(path + "/a").status == 200)
      #expect(authorizer.uses.withLock { $0.count } == before)
      #expect(await server.send("DELETE", path + "/a").status == 403)
      #expect(await server.post(path + "/a/cancel", "{}").status == 403)
      #expect(await server.post(path + "/a/retry", "{}").status == 403)
      #expect(await server.send("DELETE", path).status == 403)
      #expect(await server.patch(path + "/a", .merge, #"{"metadata":{"labels":{"x":"y"}}}"#).status == 403)
      #expect(await server.get(path + "/a").status == 200)
    }
  }

  @Test("Runs of a namespace that is going are cancelled by those who may use the backend; the namespace goes all the same")
  func leaving() async throws {
    let authorizer = NoUse()
    let directory = TestNamespaces()
    try await TestServer(authorizer: authorizer, namespaces: directory, requiresUse: true).run { server in
      authorizer.allows.withLock { $0 = true }
      for name in ["a", "b"] { #expect(await server.post(path, TestServer.manifest(name)).status == 201) }
      authorizer.allows.withLock { $0 = false }
      let before = authorizer.uses.withLock { $0.count }
      directory.set("default", .terminating)
      let refused = await server.send("DELETE", path)
      #expect(refused.status == 200 && refused.warnings.first?.contains("2 runs go on in the engine") == true, "\(refused.warnings)")
      #expect(await server.get(path).json["items"] == [])
      #expect(server.gateway.leavingRuns == 0 && server.engine.calls(.cancel) == 0)
      // Once for the binding, not for each run.
      #expect(authorizer.uses.withLock { $0.count } == before + 1)
      authorizer.allows.withLock { $0 = true }
      #expect(await server.send("DELETE", path).warnings.isEmpty)
      for _ in 0..<6_000 where server.engine.calls(.cancel) < 2 { try await Task.sleep(for: .milliseconds(20)) }
      #expect(server.engine.calls(.cancel) == 2)
    }
  }

  @Test("Where the binding does not ask for it, nobody is asked") func without() async throws {
    let authorizer = NoUse()
    try await TestServer(authorizer: authorizer).run { server in
      #expect(await server.post(path, TestServer.manifest("a")).status == 201)
    }
    #expect(authorizer.uses.withLock { $0 }.isEmpty)
  }
}
