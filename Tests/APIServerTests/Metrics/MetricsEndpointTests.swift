import AdapterKit
import HTTPMessage
import JSON
import KubeWire
import Logging
import Synchronization
import Testing
import Translation

@testable import APIServer

/// `/metrics` after requests of all kinds (kubernetes-wire §12.2).
@Suite(.timeLimit(.minutes(10))) struct MetricsEndpointTests {
  private static let collection = "/namespaces/default/workflows"

  private static func scrape(_ server: TestServer) async throws -> MetricsParser {
    let answer = await server.get("/metrics", accept: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
    #expect(answer.status == 200 && answer.response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
    return try MetricsParser(answer.bytes.text)
  }

  @Test("requests are counted under upstream's names and labels") func requests() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      _ = await server.post(Self.collection, TestServer.manifest("b"), query: "dryRun=All")
      _ = await server.get(Self.collection + "/a")
      _ = await server.get(Self.collection + "/nope")
      _ = await server.get("/workflows")
      let before = try await Self.scrape(server)
      _ = await server.send("DELETE", Self.collection)
      let metrics = try await Self.scrape(server)
      let ours = [
        "group": "workflow.example.com", "version": "v1alpha1", "resource": "workflows", "subresource": "", "component": "apiserver",
      ]
      func total(_ more: [String: String]) -> Double? { metrics.value("apiserver_request_total", ours.merging(more) { $1 }) }
      #expect(total(["verb": "POST", "scope": "resource", "dry_run": "", "code": "201"]) == 1)
      #expect(total(["verb": "POST", "scope": "resource", "dry_run": "All", "code": "201"]) == 1)
      #expect(
        total(["verb": "GET", "scope": "resource", "code": "200"]) == 1 && total(["verb": "GET", "scope": "resource", "code": "404"]) == 1)
      #expect(total(["verb": "LIST", "scope": "cluster", "code": "200"])! >= 1)
      #expect(total(["verb": "DELETECOLLECTION", "scope": "namespace"]) == 1)
      let labels = Set(metrics.families["apiserver_request_total"]!.samples[0].labels.keys)
      #expect(labels == ["verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component", "code"])

      let duration = metrics.families["apiserver_request_duration_seconds"]!
      #expect(Set(duration.samples.last!.labels.keys) == labels.subtracting(["code"]))
      let bounds = duration.samples.filter { $0.name.hasSuffix("_bucket") }.prefix(24).map { $0.labels["le"]! }
      #expect(
        bounds == [
          "0.005", "0.025", "0.05", "0.1", "0.2", "0.4", "0.6", "0.8", "1", "1.25", "1.5", "2", "3", "4", "5", "6", "8", "10", "15", "20",
          "30",
          "45", "60", "+Inf",
        ])
      #expect(metrics.value("apiserver_request_duration_seconds_count", ["verb": "POST"]) == 2)
      // The indicator of the service level leaves dry runs out.
      #expect(metrics.value("apiserver_request_sli_duration_seconds_count", ["verb": "POST"]) == 1)
      #expect(metrics.value("apiserver_request_body_size_bytes_count", ["verb": "POST"]) == 2)
      #expect(metrics.value("apiserver_response_sizes_bucket", ["verb": "LIST", "scope": "cluster", "le": "1e+09"])! >= 1)

      #expect(before.value("apiserver_resource_objects", ["resource": "workflows", "group": "workflow.example.com"])! >= 1)
      #expect(before.value("apiserver_storage_objects", ["resource": "workflows.workflow.example.com"])! >= 1)
      #expect(before.value("workflow_apiserver_binding_runs", ["binding": "memory-default"])! >= 1)
      #expect(metrics.value("workflow_apiserver_binding_synced", ["binding": "memory-default", "backend": "memory"]) == 1)
      #expect(metrics.value("workflow_apiserver_binding_last_sweep_age_seconds", ["binding": "memory-default"])! >= 0)
      #expect(metrics.value("workflow_apiserver_submissions_in_doubt") == 0)
      #expect(metrics.value("apiserver_current_inflight_requests", ["request_kind": "readOnly"]) != nil)
      #expect(metrics.value("authentication_attempts", ["result": "success"])! >= 6)
      #expect(metrics.value("authenticated_user_requests", ["username": "other"])! >= 6)
      #expect(metrics.value("process_resident_memory_bytes")! > 1e6 && metrics.value("process_open_fds")! > 2)
      #expect(metrics.value("process_start_time_seconds")! > 1.5e9 && metrics.value("process_cpu_seconds_total")! > 0)

      let second = try await Self.scrape(server)
      #expect(second.value("apiserver_request_total", ["subresource": "/metrics", "verb": "GET", "code": "200", "scope": ""]) == 2)

      // It tells of two seconds, and a busy machine may take longer from a write to the scrape.
      func mutating(_ scraped: MetricsParser) -> Double? {
        scraped.value("apiserver_current_inflight_requests", ["request_kind": "mutating"])
      }
      var recent = metrics
      for _ in 0..<20 where mutating(recent) == 0 {
        _ = await server.send("DELETE", Self.collection)
        recent = try await Self.scrape(server)
      }
      #expect(mutating(recent)! >= 1)
    }
  }

  @Test("whatever clients invent, there are no more series") func bounded() async throws {
    try await TestServer.run { server in
      for number in 0..<50 {
        _ = await server.get("/\(number)/x")
        _ = await server.get("/apis/other\(number)/v1/things")
        _ = await server.get("/namespaces/default/workflow\(number)")
        _ = await server.get(Self.collection + "/a/sub\(number)")
        _ = await server.send("VERB\(number)", "/version")
        _ = await server.get(Self.collection, query: "dryRun=\(number)")
        _ = await server.get("/readyz/check\(number)")
      }
      let metrics = try await Self.scrape(server)
      let other = metrics.families["apiserver_request_total"]!.samples.filter { $0.labels["subresource"] == "other" }
      #expect(other.reduce(0) { $0 + $1.value } == 200 && other.allSatisfy { $0.labels["resource"] == "" && $0.labels["group"] == "" })
      #expect(metrics.families["apiserver_request_total"]!.samples.count < 25)
      #expect(metrics.value("apiserver_request_total", ["subresource": "/readyz"]) == 50)
    }
  }

  @Test("watches: open ones, and their events when they are sent") func watches() async throws {
    try await TestServer.run { server in
      let answer = await server.get("/workflows", query: "watch=1")
      guard case .stream(let body) = answer.response.body else {
        Issue.record("no stream")
        return
      }
      let ours = ["verb": "WATCH", "resource": "workflows", "scope": "cluster", "component": "apiserver"]
      #expect(try await Self.scrape(server).value("apiserver_longrunning_requests", ours) == 1)
      #expect(try await Self.scrape(server).value("apiserver_request_total", ["verb": "WATCH"]) == nil)
      let reader = WatchReader(body)
      _ = await server.post(Self.collection, TestServer.manifest("seen"))
      #expect(try await reader.next()?["type"] == "ADDED")
      reader.cancel()
      let metrics = try await Self.scrape(server)
      #expect(metrics.value("apiserver_longrunning_requests", ours) == 0)
      #expect(metrics.value("apiserver_request_total", ours.merging(["code": "200"]) { $1 }) == 1)
      #expect(
        metrics.value("apiserver_watch_events_total", ["resource": "workflows", "group": "workflow.example.com", "version": "v1alpha1"])!
          >= 1)
      #expect(metrics.value("apiserver_watch_events_sizes_sum")! > 100)
    }
  }

  @Test("too many watches of one user are 429; when one ends there is room") func watchLimit() async throws {
    var configuration = APIServerConfiguration()
    configuration.maximumWatchesPerUser = 2
    let tokens = ["a": UserInfo(name: "jane"), "b": UserInfo(name: "bob"), "r": UserInfo(name: "root", groups: ["system:masters"])]
    let server = TestServer(authenticator: StandardAuthenticator(tokens: tokens), configuration: configuration)
    try await server.run { server in
      func watch(_ token: String) async -> TestServer.Answer {
        await server.send("GET", "/workflows", query: "watch=1", headers: ["Authorization": "Bearer \(token)"])
      }
      func cancel(_ answer: TestServer.Answer) { if case .stream(let body) = answer.response.body { body.cancel() } }
      let open = [await watch("a"), await watch("a")]
      let refused = await watch("a")
      #expect(refused.status == 429 && refused.response.headers["Retry-After"] == "1" && refused.json["reason"] == "TooManyRequests")
      let others = [await watch("b"), await watch("r"), await watch("r"), await watch("r")]
      #expect(others.map(\.status) == [200, 200, 200, 200])
      cancel(open[0])
      let again = await watch("a")
      #expect(again.status == 200)
      let after = try await Self.scrape(server)
      #expect(after.value("apiserver_request_terminations_total", ["verb": "WATCH", "code": "429"]) == 1)
      for answer in open + others + [again] { cancel(answer) }
    }
  }

  /// Holds the first request it decides about until it is let go.
  private final class SlowAuthorizer: Authorizer {
    let held = AsyncStream.makeStream(of: Void.self)
    let gate = Mutex<CheckedContinuation<Void, Never>?>(nil)

    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
      if attributes.user.name == "slow" {
        await withCheckedContinuation { continuation in
          gate.withLock { $0 = continuation }
          held.continuation.yield()
        }
      }
      return .allowed
    }
  }

  @Test("reads above the limit are 429 while writes, probes and system:masters go on") func inFlight() async throws {
    var configuration = APIServerConfiguration()
    configuration.maximumRequestsInFlight = 1
    let authorizer = SlowAuthorizer()
    let tokens = ["slow": UserInfo(name: "slow"), "root": UserInfo(name: "root", groups: ["system:masters"])]
    let server = TestServer(authenticator: StandardAuthenticator(tokens: tokens), authorizer: authorizer, configuration: configuration)
    try await server.run { server in
      async let slow = server.send("GET", "/workflows", headers: ["Authorization": "Bearer slow"])
      for await _ in authorizer.held.stream { break }
      let refused = await server.get("/workflows")
      #expect(refused.status == 429 && refused.response.headers["Retry-After"] == "1" && refused.message.contains("please try again later"))
      #expect(await server.post(Self.collection, TestServer.manifest("w")).status == 201)
      #expect(await server.get("/readyz").status == 200)
      #expect(await server.get("/version").status == 429)
      #expect(await server.send("GET", "/workflows", headers: ["Authorization": "Bearer root"]).status == 200)
      authorizer.gate.withLock { $0 }?.resume()
      #expect(await slow.status == 200)
      #expect(await server.get("/workflows").status == 200)
      let after = try await Self.scrape(server)
      #expect(after.value("apiserver_request_terminations_total", ["verb": "LIST", "code": "429"]) == 1)
    }
  }

  private struct Denying: Authorizer {
    let isDown: Bool
    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
      if isDown { throw .internalError("no answer") }
      return attributes.info.path == "/metrics" && attributes.info.verb == "get" && !attributes.info.isResourceRequest
        ? .denied(reason: "") : .allowed
    }
  }

  @Test("/metrics needs `get` on its path; it is GET alone") func access() async throws {
    let denied = await TestServer(authorizer: Denying(isDown: false)).get("/metrics")
    #expect(denied.status == 403 && denied.message == #"forbidden: User "system:anonymous" cannot get path "/metrics""#)
    let metrics = ServerMetrics()
    #expect(await TestServer(authorizer: Denying(isDown: true), metrics: metrics).get("/metrics").status == 500)
    #expect(try MetricsParser(metrics.text.text).value("authorization_attempts_total", ["result": "error"]) == 1)
    #expect(await TestServer().send("POST", "/metrics").status == 405)
    #expect(await TestServer().get("/").json["paths"]?.array?.contains("/metrics") == true)
  }

  @Test("what engines and the cluster are asked, and certificates") func others() throws {
    let metrics = ServerMetrics()
    metrics.backends.record("ci", "200", duration: .milliseconds(20))
    metrics.backends.record("ci", "connect", duration: .milliseconds(1))
    metrics.delegatedAuthentication.record("201", duration: .milliseconds(300))
    metrics.delegatedAuthorization.record("<error>", duration: .seconds(10))
    metrics.clientCertificateExpiration.observe(.seconds(3000))
    metrics.addHandshakeErrors { 7 }
    let parsed = try MetricsParser(metrics.text.text)
    #expect(parsed.value("workflow_apiserver_backend_requests_total", ["backend": "ci", "code": "connect"]) == 1)
    #expect(parsed.value("workflow_apiserver_backend_request_duration_seconds_bucket", ["backend": "ci", "le": "0.025"]) == 2)
    #expect(parsed.value("apiserver_delegated_authn_request_total", ["code": "201"]) == 1)
    #expect(parsed.value("apiserver_delegated_authn_request_duration_seconds_bucket", ["code": "201", "le": "0.25"]) == 0)
    #expect(parsed.value("apiserver_delegated_authz_request_duration_seconds_count", ["code": "<error>"]) == 1)
    #expect(parsed.value("apiserver_client_certificate_expiration_seconds_bucket", ["le": "1800"]) == 0)
    #expect(parsed.value("apiserver_client_certificate_expiration_seconds_bucket", ["le": "3600"]) == 1)
    #expect(parsed.value("apiserver_tls_handshake_errors_total") == 7)
  }

  @Test("answers that came too late, and streams that broke off") func terminationsAndAborts() async throws {
    let requests = RequestMetrics(MetricTargets(Samples.group, paths: []))
    let metrics = ServerMetrics()
    metrics.add(requests)
    let observers = RequestObservation.Observers(
      metrics: metrics, requests: requests, auditor: nil, logger: Logger(label: "test"), clock: TestClock())
    func observation(_ path: String, query: String = "") -> RequestObservation {
      let request = HTTPRequest(method: "GET", path: TestServer.base + path, query: query)
      let parameters = QueryParameters(query)
      return RequestObservation(request, RequestInfo(method: "GET", path: request.path, query: parameters), parameters, observers)
    }
    let late = observation("/workflows")
    late.terminated()
    _ = await late.answered(HTTPResponse(StatusError.deadlineExceeded))
    let failing = LogStream(next: { () async throws(AdapterError) in throw AdapterError(.unavailable, "gone") }, cancel: {})
    let answer = await observation(Self.collection + "/a/log").answered(HTTPResponse(status: 200, body: .stream(LogBody(failing))))
    guard case .stream(let body) = answer.body else {
      Issue.record("no stream")
      return
    }
    let (wakes, signal) = AsyncStream.makeStream(of: Void.self)
    body.start { signal.yield() }
    for await _ in wakes { if case .abort = body.next() { break } }
    let parsed = try MetricsParser(metrics.text.text)
    #expect(parsed.value("apiserver_request_terminations_total", ["verb": "LIST", "code": "504"]) == 1)
    #expect(parsed.value("apiserver_request_aborts_total", ["verb": "CONNECT", "subresource": "log", "code": "200"]) == 1)
    #expect(parsed.value("apiserver_longrunning_requests", ["verb": "CONNECT", "subresource": "log"]) == 0)
  }
}
