import APIServer
import JSON
import KubeClient
import KubeWire
import OrderedCollections
import Testing
import Translation

@testable import Delegation

@Suite(.timeLimit(.minutes(10)))
struct AccessReviewerTests {
  private let base = "/apis/workflow.example.com/v1alpha1"
  private let jane = UserInfo(name: "jane", uid: "1", groups: ["devs", "system:authenticated"], extra: ["k": ["v"], "a": ["1", "2"]])

  private func attributes(_ method: String, _ path: String, _ query: String = "", user: UserInfo? = nil) -> AuthorizationAttributes {
    AuthorizationAttributes(
      user: user ?? UserInfo(name: "u"), info: RequestInfo(method: method, path: path, query: QueryParameters(query))!)
  }

  private func cluster() -> FakeCluster {
    FakeCluster { request in
      switch request.body?["spec"]?["user"]?.string {
      case "away": throw KubeError.unreachable("connection refused")
      case "both": .object(["status": .object(["allowed": .bool(true), "denied": .bool(true)])])
      case "no": .object(["status": .object(["allowed": .bool(false), "reason": .string("no RBAC policy matched")])])
      case "odd": .object(["status": .object([:])])
      default: .object(["status": .object(["allowed": .bool(true), "reason": .string("RBAC: allowed")])])
      }
    }
  }

  @Test(
    "A4, A5: what is asked",
    arguments: [
      (
        "GET", "/namespaces/default/workflows/a/status", "",
        #"{"user":"jane","uid":"1","groups":["devs","system:authenticated"],"extra":{"a":["1","2"],"k":["v"]},"resourceAttributes":{"namespace":"default","verb":"get","group":"workflow.example.com","version":"v1alpha1","resource":"workflows","subresource":"status","name":"a"}}"#
      ),
      (
        "GET", "/workflows",
        "watch=1&labelSelector=app%20in%20(x,y),!b,c,d!%3De,f>1&fieldSelector=metadata.name%3Da,status.phase!%3DFailed",
        #"{"user":"jane","uid":"1","groups":["devs","system:authenticated"],"extra":{"a":["1","2"],"k":["v"]},"resourceAttributes":{"verb":"watch","group":"workflow.example.com","version":"v1alpha1","resource":"workflows","name":"a","labelSelector":{"requirements":[{"key":"app","operator":"In","values":["x","y"]},{"key":"b","operator":"DoesNotExist"},{"key":"c","operator":"Exists"},{"key":"d","operator":"NotIn","values":["e"]}]},"fieldSelector":{"requirements":[{"key":"metadata.name","operator":"In","values":["a"]},{"key":"status.phase","operator":"NotIn","values":["Failed"]}]}}}"#
      ),
      (
        "DELETE", "/namespaces/d/workflows", "",
        #"{"user":"jane","uid":"1","groups":["devs","system:authenticated"],"extra":{"a":["1","2"],"k":["v"]},"resourceAttributes":{"namespace":"d","verb":"deletecollection","group":"workflow.example.com","version":"v1alpha1","resource":"workflows"}}"#
      ),
    ]) func spec(method: String, path: String, query: String, expected: String) async throws
  {
    let cluster = cluster()
    let decision = try await AccessReviewer(cluster, logger: quiet).authorize(attributes(method, base + path, query, user: jane))
    #expect(decision.isAllowed)
    #expect(cluster.specs == [expected])
    #expect(cluster.requests.first?.path == "/apis/authorization.k8s.io/v1/subjectaccessreviews")
  }

  @Test("A5: a path is asked for as it is") func nonResource() async throws {
    let cluster = cluster()
    _ = try await AccessReviewer(cluster, logger: quiet).authorize(attributes("GET", "/openapi/v2", "x=y"))
    #expect(cluster.specs == [#"{"user":"u","nonResourceAttributes":{"path":"/openapi/v2","verb":"get"}}"#])
  }

  @Test("A8: yes and no each hold for their own time; the whole question is the key") func cache() async throws {
    let (cluster, time) = (cluster(), FakeTime())
    let reviewer = AccessReviewer(
      cluster, settings: .init(allowedLifetime: .seconds(30), deniedLifetime: .seconds(5)), surroundings: time.surroundings, logger: quiet)
    func ask(_ user: String, _ path: String = "/a") async throws -> AuthorizationDecision {
      try await reviewer.authorize(attributes("GET", path, user: UserInfo(name: user)))
    }
    for _ in 0..<3 {
      #expect(try await ask("yes").isAllowed)
      #expect(try await ask("no") == .denied(reason: "no RBAC policy matched"))
    }
    #expect(cluster.requests.count == 2)
    _ = try await ask("yes", "/b")
    #expect(cluster.requests.count == 3)
    time.advance(.seconds(6))
    _ = try await ask("yes")
    #expect(cluster.requests.count == 3)
    _ = try await ask("no")
    #expect(cluster.requests.count == 4)
    time.advance(.seconds(25))
    _ = try await ask("yes")
    #expect(cluster.requests.count == 5)
    #expect(try await ask("both") == .denied(reason: ""))
  }

  @Test("A8: a question of more than 10,000 bytes is asked each time") func large() async throws {
    let cluster = cluster()
    let reviewer = AccessReviewer(cluster, logger: quiet)
    let user = UserInfo(name: "u", groups: (0..<1_000).map { "group-\($0)" })
    for _ in 0..<2 { _ = try await reviewer.authorize(attributes("GET", "/a", user: user)) }
    #expect(cluster.requests.count == 2)
  }

  @Test("What waits for the cluster is bounded, long questions too, and strangers leave half to the others") func running() async throws {
    let gate = AsyncStream<Void>.makeStream()
    let cluster = FakeCluster { _ in
      for await _ in gate.stream { break }
      return .object(["status": .object(["allowed": .bool(true)])])
    }
    let reviewer = AccessReviewer(cluster, settings: .init(maximumRunning: 4), logger: quiet)
    let long = UserInfo(name: "u", groups: (0..<1_000).map { "group-\($0)" })
    func ask(_ path: String, _ user: UserInfo) -> Task<Int, Never> {
      let attributes = attributes("GET", path, user: user)
      return Task {
        do throws(StatusError) {
          return try await reviewer.authorize(attributes).isAllowed ? 200 : 403
        } catch {
          return error.code
        }
      }
    }
    func waiting(_ count: Int) async { while cluster.requests.count < count { await Task.yield() } }
    let stranger = StandardAuthenticator.anonymousUser
    var tasks = [ask("/a", stranger), ask("/b", stranger)]
    await waiting(2)
    #expect(await ask("/c", stranger).value == 429)
    // The same question is no further one.
    tasks += [ask("/b", stranger), ask("/a", long), ask("/b", long)]
    await waiting(4)
    for user in [UserInfo(name: "u"), long] { #expect(await ask("/c", user).value == 429) }
    gate.continuation.finish()
    for task in tasks { #expect(await task.value == 200) }
    #expect(cluster.requests.count == 4)
    #expect(await ask("/c", stranger).value == 200)
    #expect(await ask("/c", long).value == 200)
  }

  @Test("A9: no answer is a 500, never a 403, and is not remembered") func away() async {
    let (cluster, time) = (cluster(), FakeTime())
    let reviewer = AccessReviewer(cluster, surroundings: time.surroundings, logger: quiet)
    for user in ["away", "odd", "away"] {
      let error = await #expect(throws: StatusError.self) {
        try await reviewer.authorize(attributes("GET", "/a", user: UserInfo(name: user)))
      }
      #expect(error?.code == 500 && error?.status.reason == "InternalError")
      if user == "away" {
        #expect(
          error?.status.message
            == "Internal error occurred: the cluster cannot be asked whether this is allowed: its API server cannot be reached")
      }
    }
    #expect(cluster.requests.count == 11)
  }

  @Test func theCacheForgetsWhatWasUsedLongestAgo() {
    var cache = LRUCache<Int, Int>(capacity: 3)
    for number in 1...3 { cache.set(number, for: number) }
    #expect(cache.value(for: 1) == 1)
    cache.set(4, for: 4)
    #expect(cache.value(for: 2) == nil && cache.value(for: 1) == 1 && cache.value(for: 3) == 3 && cache.count == 3)
    cache.set(10, for: 1)
    cache.set(5, for: 5)
    #expect(cache.value(for: 4) == nil && cache.value(for: 1) == 10)
    // Against the plainest model.
    var model: [(key: Int, value: Int)] = []
    var generator = SystemRandomNumberGenerator()
    cache = LRUCache(capacity: 8)
    for step in 0..<5_000 {
      let key = Int.random(in: 0..<12, using: &generator)
      if Bool.random(using: &generator) {
        cache.set(step, for: key)
        model.removeAll { $0.key == key }
        model.append((key, step))
        if model.count > 8 { model.removeFirst() }
      } else {
        let found = model.firstIndex { $0.key == key }
        #expect(cache.value(for: key) == found.map { model[$0].value })
        if let found { model.append(model.remove(at: found)) }
      }
    }
  }
}
