import AdapterKit
import DeclarativeAdapter
import JSON
import OrderedCollections
import Synchronization
import Testing

@Suite struct SessionTests {
  static let text = miniature(
    """
    credentials: {password: it}
    auth:
      login:
        request: POST /login
        body: {password: "${credentials.password}"}
        auth: none
        token: ${response.body.token}
        expiresIn: ${response.body.?seconds}
        renewWhen: ${response.status == 401 || (response.status == 403 && response.body.detail == "Invalid token")}
      headers: {X-Token: "${token}"}
    """)

  /// An engine that knows which tokens are good.
  final class Engine: Sendable {
    let state = Mutex(
      (
        logins: 0, good: Set<String>(), failing: false, refusal: ["detail": "Invalid token"] as JSONValue, status: 403,
        seconds: JSONValue.null
      ))

    var stub: StubTransport {
      StubTransport { (request: TransportRequest) async throws(TransportError) in
        for _ in 0..<5 { await Task.yield() }
        return self.state.withLock { state in
          if request.url.hasSuffix("/login") {
            if state.failing { return TransportResponse.json(["detail": "wrong password"], status: 401) }
            state.logins += 1
            state.good = ["token-\(state.logins)"]
            return .json(["token": .string("token-\(state.logins)"), "seconds": state.seconds])
          }
          if let token = request.header("x-token"), state.good.contains(token) { return .json(job("a")) }
          return .json(state.refusal, status: state.status)
        }
      }
    }
  }

  @Test func concurrentCallsShareOneLogin() async throws {
    let engine = Engine()
    let stub = engine.stub
    let adapter = try adapter(Self.text, stub, credentials: ["password": "pw"])
    func all() async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<20 { group.addTask { _ = try await adapter.get(RunKey(id: "a"), scope: AdapterScope()) } }
        try await group.waitForAll()
      }
    }
    try await all()
    #expect(engine.state.withLock { $0.logins } == 1)
    // The engine forgot the token: one more login for all.
    engine.state.withLock { $0.good = [] }
    try await all()
    #expect(engine.state.withLock { $0.logins } == 2)
  }

  @Test func aCallLogsInAnewOnceAtMost() async throws {
    let engine = Engine()
    let stub = engine.stub
    let adapter = try adapter(Self.text, stub, credentials: ["password": "pw"])
    _ = try await adapter.get(RunKey(id: "a"), scope: AdapterScope())
    engine.state.withLock { $0.refusal = ["detail": "Forbidden"] }
    engine.state.withLock { $0.good = [] }
    // Forbidden: a new login would not help.
    let forbidden = await #expect(throws: AdapterError.self) { try await adapter.get(RunKey(id: "a"), scope: AdapterScope()) }
    #expect(forbidden?.code == .forbidden)
    #expect(engine.state.withLock { $0.logins } == 1)
    // A refusal that no login ends: one more, then the error.
    let hopeless = StubTransport { (request: TransportRequest) async throws(TransportError) in
      request.url.hasSuffix("/login") ? .json(["token": "t-1234"]) : .json(["detail": "no"], status: 401)
    }
    let other = try DeclarativeAdapterTests.adapter(Self.text, hopeless, credentials: ["password": "pw"])
    let error = await #expect(throws: AdapterError.self) { try await other.submit(submission) }
    #expect(error?.code == .unauthenticated)
    #expect(error?.inDoubt == false)
    #expect(hopeless.lines == ["POST /login", "POST /jobs", "POST /login", "POST /jobs"])
  }

  @Test func aRefusedLoginIsToldAndNotRepeatedForEachWaiter() async throws {
    let engine = Engine()
    engine.state.withLock { $0.failing = true }
    let stub = engine.stub
    let adapter = try adapter(Self.text, stub, credentials: ["password": "hunter22"])
    let errors = await withTaskGroup(of: AdapterError?.self) { group in
      for _ in 0..<10 {
        group.addTask {
          do throws(AdapterError) {
            _ = try await adapter.get(RunKey(id: "a"), scope: AdapterScope())
            return nil
          } catch { return error }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(errors.allSatisfy { $0?.code == .unauthenticated && $0?.message == "login: wrong password" }, "\(errors)")
    #expect(stub.requests.count < 10)
    let health = try await adapter.health()
    #expect(health.reachable && health.authenticated == false)
    engine.state.withLock { $0.failing = false }
    _ = try await adapter.get(RunKey(id: "a"), scope: AdapterScope())
  }

  @Test func aTokenIsRenewedBeforeItRunsOut() async throws {
    let engine = Engine()
    engine.state.withLock { $0.seconds = 600 }
    let time = TestClock()
    let adapter = try adapter(Self.text, engine.stub, credentials: ["password": "pw"], clock: time.clock)
    _ = try await adapter.get(RunKey(id: "a"), scope: AdapterScope())
    time.advance(.seconds(500))
    _ = try await adapter.get(RunKey(id: "a"), scope: AdapterScope())
    #expect(engine.state.withLock { $0.logins } == 1)
    time.advance(.seconds(80))
    _ = try await adapter.get(RunKey(id: "a"), scope: AdapterScope())
    #expect(engine.state.withLock { $0.logins } == 2)
  }

  @Test func basicAndMissingCredentials() async throws {
    let text = miniature(
      "credentials: {user: u, password: p}\nauth: {basic: {username: '${credentials.user}', password: '${credentials.password}'}}")
    let stub = StubTransport([.json(job("a"))])
    _ = try await adapter(text, stub, credentials: ["user": "aladdin", "password": "opensesame"]).get(
      RunKey(id: "a"), scope: AdapterScope())
    #expect(stub.requests[0].header("authorization") == "Basic YWxhZGRpbjpvcGVuc2VzYW1l")
    let error = await #expect(throws: AdapterError.self) {
      try await adapter(text, StubTransport([]), credentials: ["user": "aladdin"]).get(RunKey(id: "a"), scope: AdapterScope())
    }
    #expect(error == AdapterError(.unauthenticated, "no credential password"))
  }
}
