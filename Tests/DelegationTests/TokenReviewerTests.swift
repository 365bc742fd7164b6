import JSON
import KubeClient
import KubeWire
import Logging
import OrderedCollections
import Testing
import Translation

@testable import Delegation

@Suite(.timeLimit(.minutes(10)))
struct TokenReviewerTests {
  private func review(_ status: String) throws -> JSONValue { .object(["status": try JSONValue(parsing: status)]) }

  private func cluster() -> FakeCluster {
    FakeCluster { request in
      switch request.body?["spec"]?["token"]?.string {
      case "good":
        try review(
          #"{"authenticated":true,"user":{"username":"system:serviceaccount:ns:sa","uid":"u1","groups":["system:serviceaccounts","a,b"],"extra":{"authentication.kubernetes.io/pod-name":["p"]}},"audiences":["https://kubernetes.default.svc"]}"#
        )
      case "nameless": try review(#"{"authenticated":true,"user":{}}"#)
      case "away": throw KubeError.unreachable("connection refused")
      case "odd": .object([:])
      case "forbidden": throw KubeError.status(.forbidden("no"))
      case "unsure": try review(#"{"user":{},"error":"etcd is away"}"#)
      default: try review(#"{"user":{}}"#)
      }
    }
  }

  @Test("A2: the whole user is taken over, and no audiences are sent") func good() async throws {
    let cluster = cluster()
    let user = try await TokenReviewer(cluster, logger: quiet).user(ofToken: "good")
    #expect(
      user
        == UserInfo(
          name: "system:serviceaccount:ns:sa", uid: "u1", groups: ["system:serviceaccounts", "a,b"],
          extra: ["authentication.kubernetes.io/pod-name": ["p"]]))
    #expect(cluster.requests.map(\.path) == ["/apis/authentication.k8s.io/v1/tokenreviews"])
    #expect(
      cluster.requests.first?.body?.text
        == #"{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","spec":{"token":"good"}}"#)
  }

  @Test("Audiences that are asked for must be among the answer's") func audiences() async throws {
    for (wanted, isGood) in [("https://kubernetes.default.svc", true), ("vault", false)] {
      let cluster = cluster()
      let reviewer = TokenReviewer(cluster, settings: .init(audiences: [wanted]), logger: quiet)
      #expect(try await (reviewer.user(ofToken: "good") != nil) == isGood)
      #expect(cluster.specs == [#"{"token":"good","audiences":["\#(wanted)"]}"#])
    }
  }

  @Test("A3: answers hold 10 s, good and bad; failures do not hold") func cache() async throws {
    let (cluster, time) = (cluster(), FakeTime())
    let reviewer = TokenReviewer(cluster, surroundings: time.surroundings, logger: quiet)
    for token in ["good", "bad", "nameless"] {
      for _ in 0..<3 { #expect(try await (reviewer.user(ofToken: token) != nil) == (token == "good")) }
    }
    #expect(cluster.requests.count == 3)
    time.advance(.seconds(9))
    _ = try await reviewer.user(ofToken: "good")
    #expect(cluster.requests.count == 3)
    time.advance(.seconds(2))
    _ = try await reviewer.user(ofToken: "good")
    #expect(cluster.requests.count == 4)

    for round in 1...2 {
      let error = await #expect(throws: StatusError.self) { try await reviewer.user(ofToken: "away") }
      #expect(error?.code == 503 && error?.retryAfter == 1)
      #expect(error?.status.message == "the cluster cannot be asked whose token this is: its API server cannot be reached")
      #expect(cluster.requests.count == 4 + 5 * round)
    }
    #expect(time.waited == 8)
    let forbidden = await #expect(throws: StatusError.self) { try await reviewer.user(ofToken: "forbidden") }
    #expect(forbidden?.status.message.contains("system:auth-delegator") == true)
    let odd = await #expect(throws: StatusError.self) { try await reviewer.user(ofToken: "odd") }
    #expect(odd?.code == 503)
  }

  @Test("A3: a no that comes with an error is not certain, and holds 1 s") func unsure() async throws {
    let (cluster, time) = (cluster(), FakeTime())
    let reviewer = TokenReviewer(cluster, surroundings: time.surroundings, logger: quiet)
    for _ in 0..<3 { #expect(try await reviewer.user(ofToken: "unsure") == nil) }
    #expect(cluster.requests.count == 1)
    time.advance(.seconds(1))
    #expect(try await reviewer.user(ofToken: "unsure") == nil)
    #expect(cluster.requests.count == 2)
  }

  @Test("Fifty at once are one review, and one that leaves ends it for nobody") func singleFlight() async throws {
    let gate = AsyncStream<Void>.makeStream()
    let cluster = FakeCluster { _ in
      for await _ in gate.stream { break }
      return .object(["status": try JSONValue(parsing: #"{"authenticated":true,"user":{"username":"jane"}}"#)])
    }
    let reviewer = TokenReviewer(cluster, logger: quiet)
    let tasks = (0..<50).map { _ in Task { try await reviewer.user(ofToken: "t")?.name } }
    while cluster.requests.isEmpty { await Task.yield() }
    tasks[0].cancel()
    gate.continuation.yield()
    for task in tasks { #expect(try await task.value == "jane") }
    #expect(cluster.requests.count == 1)
  }

  @Test("No token is in a log, a Status or the cache's keys") func secrets() async {
    let lines = RecordedLines()
    let secret = "very-secret-token"
    let cluster = FakeCluster { request in
      if request.body?["spec"]?["token"]?.string == secret { throw KubeError.unreachable("cannot reach the cluster at https://10.0.0.1") }
      return .null
    }
    let reviewer = TokenReviewer(
      cluster, surroundings: FakeTime().surroundings, logger: Logger(label: "t") { _ in RecordingLog(lines: lines) })
    let error = await #expect(throws: StatusError.self) { try await reviewer.user(ofToken: secret) }
    #expect(error?.description.contains("secret") == false && error?.description.contains("10.0.0.1") == false)
    #expect(!lines.text.isEmpty && !lines.text.contains("secret"))
  }
}
