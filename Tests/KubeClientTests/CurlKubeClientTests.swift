import AdapterKit
import CurlTransport
import Glibc
import JSON
import KubeWire
import OrderedCollections
import Synchronization
import TestSupport
import Testing

@testable import KubeClient

@Suite(.timeLimit(.minutes(10)))
struct CurlKubeClientTests {
  @Test func requestsAndRefusals() async throws {
    let server = try StubEngine { request in
      switch request.path {
      case "/api/v1/namespaces/a": .json(200, #"{"kind":"Namespace"}"#)
      case "/text": StubAnswer(503, headers: [("Retry-After", "7")], text: "service unavailable\n")
      case "/odd": StubAnswer(200, text: "<html>")
      default:
        .json(
          403,
          #"{"kind":"Status","message":"nodes is forbidden","reason":"Forbidden","code":403,"details":{"kind":"nodes","causes":[{"message":"m"}]}}"#
        )
      }
    }
    defer { server.stop() }
    let client = CurlKubeClient(ClusterAccess(server: server.url, token: .text("secret"), proxy: "", origin: "test"))
    let answer = try await client.send(KubeRequest("GET", "/api/v1/namespaces/a", query: [("labelSelector", "a in (b,c)")]))
    #expect(answer.body["kind"] == .string("Namespace"))
    #expect(server.requests.last?.target == "/api/v1/namespaces/a?labelSelector=a%20in%20%28b%2Cc%29")
    #expect(server.requests.last?.header("Authorization") == "Bearer secret")

    let posted = KubeRequest("POST", "/nodes", body: .object(["a": .int(1)]))
    guard case .status(let refused) = await failure({ try await client.send(posted) }) else { return #expect(Bool(false)) }
    #expect(refused.description == "403 Forbidden: nodes is forbidden")
    #expect(refused.status.details?.causes.count == 1)
    #expect(server.requests.last?.text == #"{"a":1}"#)
    #expect(server.requests.last?.header("Content-Type") == "application/json")

    guard case .status(let away) = await failure({ try await client.send(KubeRequest("GET", "/text")) }) else {
      return #expect(Bool(false))
    }
    #expect(away.retryAfter == 7)
    #expect(away.status.message == "the server answered with status 503: service unavailable")
    guard case .malformed = await failure({ try await client.send(KubeRequest("GET", "/odd")) }) else { return #expect(Bool(false)) }
  }

  @Test func aRotatedTokenIsReadAfterTenSecondsAndAtOnceAfterA401() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.write("first\n", to: "token")
    let server = try StubEngine { $0.header("Authorization") == "Bearer expired" ? .json(401, "{}") : .json(200, "{}") }
    defer { server.stop() }
    let clock = Mutex(ContinuousClock.now)
    let client = CurlKubeClient(
      ClusterAccess(server: server.url, token: .file(folder.path + "/token"), proxy: "", origin: "test"), environment: [:], userAgent: "t",
      makeTransport: { CurlTransport($0) }, now: { clock.withLock { $0 } })
    func used() async throws -> String? {
      _ = try await client.send(KubeRequest("GET", "/"))
      return server.requests.last?.header("Authorization")
    }
    #expect(try await used() == "Bearer first")
    try folder.write("second", to: "token")
    #expect(try await used() == "Bearer first")
    clock.withLock { $0 = $0 + .seconds(11) }
    #expect(try await used() == "Bearer second")

    try folder.write("expired", to: "token")
    clock.withLock { $0 = $0 + .seconds(11) }
    guard case .status(let error) = await failure({ try await client.send(KubeRequest("GET", "/")) }) else { return #expect(Bool(false)) }
    #expect(error.code == 401)
    try folder.write("third", to: "token")
    #expect(try await used() == "Bearer third")

    // A file that vanishes leaves the last good token.
    folder.remove()
    clock.withLock { $0 = $0 + .seconds(11) }
    #expect(try await used() == "Bearer third")
  }

  @Test func aWatchIsCutIntoEvents() async throws {
    let server = try StubEngine { request in
      request.path == "/gone"
        ? .json(410, #"{"kind":"Status","reason":"Expired","message":"too old","code":410}"#)
        : .chunks { number in
          let chunks = [
            #"{"type":"ADDED","object":{"metadata":{"name":"a"}}}"# + "\n" + #"{"type":"MODI"#,
            #"FIED","object":{"metadata":{"name":"b"}}}"# + "\n\n",
            #"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#,
          ]
          return number < chunks.count ? Array(chunks[number].utf8) : nil
        }
    }
    defer { server.stop() }
    let client = CurlKubeClient(ClusterAccess(server: server.url, proxy: "", origin: "test"))
    var names: [String] = []
    do {
      for try await event in try await client.watch("/w", query: [("resourceVersion", "1")]) {
        names.append("\(event.kind.rawValue) \(event.object["metadata"]?["name"]?.string ?? "")")
      }
      #expect(Bool(false), "the ERROR event must be thrown")
    } catch KubeError.status(let error) {
      #expect(error.code == 410)
    }
    #expect(names == ["ADDED a", "MODIFIED b"])
    #expect(server.requests.first?.target == "/w?resourceVersion=1&watch=true")
    do {
      _ = try await client.watch("/gone", query: [])
      #expect(Bool(false))
    } catch {
      guard case .status(let status) = error else { return #expect(Bool(false)) }
      #expect(status.status.reason == "Expired")
    }
  }

  /// A cluster whose watches tell nothing, and a clock that moves when somebody sleeps.
  private final class SilentCluster: HTTPTransport {
    let time = Mutex(ContinuousClock.now)
    let questions = Mutex<[TransportRequest]>([])
    let answers: Bool

    init(answers: Bool) { self.answers = answers }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
      questions.withLock { $0.append(request) }
      guard answers else { throw TransportError(.timeout, "in vain", mayHaveBeenSent: true) }
      return TransportResponse(status: 403)
    }

    func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
      let (ended, end) = AsyncStream<Void>.makeStream()
      return TransportStream(
        status: 200, headers: [],
        next: { () async throws(TransportError) in
          for await _ in ended { break }
          throw TransportError(.cancelled, "cancelled", mayHaveBeenSent: true)
        }, cancel: { end.yield() })
    }

    func client() -> CurlKubeClient {
      CurlKubeClient(
        ClusterAccess(server: "https://cluster.test", token: .text("secret"), proxy: "", origin: "test"), environment: [:], userAgent: "t",
        makeTransport: { _ in self }, now: { self.time.withLock { $0 } },
        sleep: { duration in
          self.time.withLock { $0 += duration }
          await Task.yield()
        })
    }

    /// What the end of a watch says, and after how long it came.
    func end(of query: [(name: String, value: String)]) async -> (String, Duration) {
      let began = time.withLock { $0 }
      let client = client()
      do {
        for try await _ in try await client.watch("/w", query: query) {}
        return ("", .zero)
      } catch {
        return ("\(error)", began.duration(to: time.withLock { $0 }))
      }
    }
  }

  @Test func aSilentWatchEndsWhenTheClusterDoesNotAnswerEither() async throws {
    let cluster = SilentCluster(answers: false)
    let (reason, after) = await cluster.end(of: [("timeoutSeconds", "300")])
    #expect(reason == "watch /w at https://cluster.test: nothing comes from the server any more")
    #expect(after == .seconds(30))
    let question = try #require(cluster.questions.withLock { $0 }.first)
    #expect(question.url == "https://cluster.test/version" && question.timeout == .seconds(15))
    #expect(question.headers.contains { $0.name == "Authorization" && $0.value == "Bearer secret" })
  }

  /// Any answer will do; and a server that forgets the end of the watch is not waited for.
  @Test func aSilentWatchLastsAsLongAsWasAskedFor() async throws {
    let cluster = SilentCluster(answers: true)
    let (reason, after) = await cluster.end(of: [("timeoutSeconds", "300")])
    #expect(reason == "watch /w at https://cluster.test: the server did not end it in time")
    #expect(after == .seconds(330))
    #expect(cluster.questions.withLock { $0.count } == 10)
  }

  @Test func anAbsentClusterIsSaidWithItsAddress() async throws {
    let (socket, port) = try Sockets.bindOnLoopback()
    defer { close(socket) }
    let client = CurlKubeClient(ClusterAccess(server: "http://127.0.0.1:\(port)", proxy: "", origin: "test"))
    let error = await failure { try await client.send(KubeRequest("GET", "/")) }
    #expect(error?.description.hasPrefix("cannot reach the cluster at http://127.0.0.1:\(port): ") == true)
  }

  @Test func retriesHaveAnEnd() async throws {
    let sleeps = Mutex<[Duration]>([])
    let policy = RetryPolicy(sleep: { duration in sleeps.withLock { $0.append(duration) } }, random: { 0 })
    let away = FakeKubeAPI([])
    _ = await failure { try await away.send(KubeRequest("POST", "/reviews"), retrying: policy) }
    #expect(away.asked.count == 5)
    #expect(sleeps.withLock { $0 } == [.milliseconds(500), .milliseconds(750), .microseconds(1_125_000), .microseconds(1_687_500)])

    let forbidden = FakeKubeAPI([.refusal(.forbidden("no")), .answer("{}")])
    _ = await failure { try await forbidden.send(KubeRequest("POST", "/reviews"), retrying: policy) }
    #expect(forbidden.asked.count == 1)

    let busy = FakeKubeAPI([.refusal(.tooManyRequests(retryAfter: 2)), .refusal(.internalError("etcd")), .answer("{}")])
    _ = try await busy.send(KubeRequest("POST", "/reviews"), retrying: policy)
    #expect(busy.asked.count == 3)
  }

  private func failure<T>(_ body: () async throws -> T) async -> KubeError? {
    do {
      _ = try await body()
      return nil
    } catch {
      return error as? KubeError
    }
  }
}
