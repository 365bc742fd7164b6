import HTTPMessage
import JSON
import KubeWire
import Synchronization
import Testing
import Translation

@testable import APIServer

/// What costs us or the cluster work is counted and bounded, whoever asks.
@Suite(.timeLimit(.minutes(10))) struct AbuseTests {
  /// Holds up whoever asks, until told.
  private final class Slow: Authorizer {
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])
    let asked = Mutex<[String]>([])
    let holds = Mutex(false)

    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
      asked.withLock { $0.append(attributes.info.path) }
      if holds.withLock({ $0 }) { await withCheckedContinuation { continuation in waiting.withLock { $0.append(continuation) } } }
      return .allowed
    }

    var held: Int { waiting.withLock { $0.count } }

    func letGo() {
      for continuation in waiting.withLock({ waiting in
        defer { waiting = [] }
        return waiting
      }) { continuation.resume() }
    }
  }

  @Test("U5, A1: a path that is none is a question of somebody: 401, 404, 400, 414")
  func malformedPaths() async throws {
    let authorizer = Slow()
    let server = TestServer(authenticator: StandardAuthenticator(anonymous: nil), authorizer: authorizer)
    #expect(await server.get("//apis").status == 401)
    let open = TestServer(authorizer: authorizer)
    let item = TestServer.base + "/namespaces/default/workflows/"
    let long = await open.get(item + String(repeating: "x", count: 5000))
    for (answer, status) in [
      (await open.get("//apis"), 404), (await open.get("/" + item + "a"), 404), (await open.get(item + "%zz"), 400),
      (await open.get(item + "%ff"), 400), (long, 414), (await open.get("/" + String(repeating: "x", count: 5000)), 414),
    ] {
      #expect(answer.status == status && answer.json["kind"] == "Status" && answer.bytes.count < 1000)
    }
    // Nobody had to be asked.
    #expect(authorizer.asked.withLock { $0 }.isEmpty)
  }

  @Test("selectors that are too long are not sent on; the question without them is the broader one") func longSelectors() throws {
    let long = String(repeating: "x", count: 9000)
    let info = try #require(
      RequestInfo(
        method: "GET", path: "/apis/g/v1/workflows", query: ["fieldSelector": "metadata.name=" + long, "labelSelector": "a=" + long]))
    #expect(info.name.isEmpty && info.fieldSelector == nil && info.labelSelector == nil)
  }

  @Test("E1: documents count among the requests in flight, health does not") func documents() async throws {
    var configuration = APIServerConfiguration()
    (configuration.maximumRequestsInFlight, configuration.maximumMutatingRequestsInFlight) = (1, 1)
    let authorizer = Slow()
    let server = TestServer(authorizer: authorizer, configuration: configuration)
    authorizer.holds.withLock { $0 = true }
    let first = Task { await server.get("/apis") }
    while authorizer.held == 0 { await Task.yield() }
    let second = await server.get("/version")
    #expect(second.status == 429 && second.response.headers["Retry-After"] == "1")
    for path in ["/healthz", "/livez", "/readyz"] { #expect(await server.get(path).status != 429) }
    // Writes have room of their own.
    let write = Task { await server.send("POST", "/anything") }
    while authorizer.held < 2 { await Task.yield() }
    #expect(await server.send("PUT", "/anything").status == 429)
    authorizer.holds.withLock { $0 = false }
    authorizer.letGo()
    #expect(await first.value.status == 200)
    #expect(await write.value.status == 404)
    #expect(await server.get("/version").status == 200)
  }

  @Test("N10: white space is for people: not for long answers, nor hundreds of times the text") func indentation() async throws {
    func coded(_ text: String, _ type: MediaType) async -> (bytes: [UInt8], type: String?) {
      var coding = ContentCoding(HTTPRequest(method: "GET", path: "/"), ["pretty": "true"])
      coding.mediaType = type
      let response = await coding.coded(.json(Array(text.utf8)))
      guard case .bytes(let bytes) = response.body else { return ([], nil) }
      return (bytes, response.headers["Content-Type"])
    }
    let inner = "[" + String(repeating: #""a\n\nb\n",1,"#, count: 5_000) + "1]"
    for deep in [
      String(repeating: "[", count: 500) + inner + String(repeating: "]", count: 500),
      String(repeating: #"{"a":"#, count: 500) + inner + String(repeating: "}", count: 500),
    ] {
      for type in [MediaType.json, .yaml] {
        let answer = await coded(deep, type)
        #expect(answer.bytes.text == deep + "\n" && answer.type == type.rawValue)
      }
    }
    let long = "[" + String(repeating: "1,", count: 600_000) + "1]"
    #expect(await coded(long, .json).bytes.text == long + "\n")
    #expect(await coded(#"{"a":[1]}"#, .json).bytes.text == "{\n  \"a\": [\n    1\n  ]\n}\n")
    #expect(await coded(#"{"a":[1]}"#, .yaml).bytes.text == "a:\n- 1\n")
  }

  @Test("a token that is too long is nobody's, and nobody is asked") func longToken() async throws {
    struct Asked: TokenAuthenticator {
      func user(ofToken token: String) async throws(StatusError) -> UserInfo? {
        throw .internalError("asked about \(token.utf8.count) bytes")
      }
    }
    let authenticator = StandardAuthenticator(tokens: Asked())
    let request = HTTPRequest(method: "GET", path: "/", headers: ["Authorization": "Bearer " + String(repeating: "x", count: 70_000)])
    let error = await #expect(throws: StatusError.self) { try await authenticator.authenticate(request) }
    #expect(error?.code == 401)
  }
}
