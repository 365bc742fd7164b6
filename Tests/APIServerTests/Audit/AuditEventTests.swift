import HTTPMessage
import JSON
import KubeWire
import OrderedCollections
import Testing
import Translation

@testable import APIServer

/// Events of requests through the whole gateway, for every level and stage.
@Suite(.timeLimit(.minutes(10))) struct AuditEventTests {
  private static let collection = "/namespaces/default/workflows"
  private static let tokens = [
    "jane": UserInfo(name: "jane", uid: "u-1", groups: ["devs"], extra: ["example.com/team": ["a", "b"]])
  ]
  private static let headers: HTTPHeaders = [
    "Authorization": "Bearer jane", "User-Agent": "kubectl/v1.33", "X-Forwarded-For": "9.9.9.9, nonsense, 10.0.0.1", "X-Real-Ip": "8.8.8.8",
    "Audit-Id": "id-1", "Content-Type": "application/json",
  ]

  private static func run(
    _ level: AuditLevel, omitManagedFields: Bool = false, omitStages: Set<AuditStage> = [], authorizer: any Authorizer = AlwaysAllow(),
    _ body: @escaping @Sendable (TestServer, MemorySink) async throws -> Void
  ) async throws {
    let sink = MemorySink()
    // The requests by which the tests wait for the server are anonymous.
    var quiet = AuditPolicy.Rule(.none)
    quiet.users = ["system:anonymous"]
    var policy = AuditPolicy(rules: [quiet, AuditPolicy.Rule(level)])
    policy.omitManagedFields = omitManagedFields
    policy.omitStages = omitStages
    let metrics = ServerMetrics()
    let server = TestServer(
      authenticator: StandardAuthenticator(tokens: tokens), authorizer: authorizer, metrics: metrics,
      auditor: Auditor(policy: policy, sink: sink, metrics: metrics))
    try await server.run { server in
      _ = sink.take()
      try await body(server, sink)
    }
  }

  private static func send(_ server: TestServer, _ method: String, _ path: String, query: String = "", body: String = "") async
    -> TestServer.Answer
  {
    let path = path.hasPrefix("/n") || path.hasPrefix("/w") ? TestServer.base + path : path
    let request = HTTPRequest(
      method: method, path: path, query: query, headers: headers, body: Array(body.utf8), peer: HTTPPeer(address: "127.0.0.1:5000"))
    return TestServer.Answer(response: await server.responder.respond(to: request))
  }

  @Test("Metadata: who, what, from where and how it ended") func metadata() async throws {
    try await Self.run(.metadata) { server, sink in
      let answer = await Self.send(server, "POST", Self.collection, query: "fieldManager=kubectl", body: TestServer.manifest("a"))
      #expect(answer.status == 201 && answer.response.headers["Audit-Id"] == "id-1")
      let events = sink.take()
      #expect(events.map { $0["stage"] } == ["RequestReceived", "ResponseComplete"])
      for event in events {
        #expect(event["kind"] == "Event" && event["apiVersion"] == "audit.k8s.io/v1" && event["level"] == "Metadata")
        #expect(event["auditID"] == "id-1" && event["verb"] == "create")
        #expect(event["requestURI"] == .string("\(TestServer.base)\(Self.collection)?fieldManager=kubectl"))
        #expect(
          event["user"] == [
            "username": "jane", "uid": "u-1", "groups": ["devs", "system:authenticated"], "extra": ["example.com/team": ["a", "b"]],
          ])
        #expect(event["sourceIPs"] == ["9.9.9.9", "10.0.0.1", "8.8.8.8", "127.0.0.1"] && event["userAgent"] == "kubectl/v1.33")
        #expect(event["requestObject"] == nil && event["responseObject"] == nil)
        // Microseconds, as MicroTime.
        #expect(event["requestReceivedTimestamp"]?.string?.count == 27 && event["stageTimestamp"]?.string?.count == 27)
      }
      #expect(events[0]["responseStatus"] == nil && events[0]["annotations"] == nil)
      #expect(
        events[0]["objectRef"] == [
          "resource": "workflows", "namespace": "default", "apiGroup": "workflow.example.com", "apiVersion": "v1alpha1",
        ])
      #expect(events[0]["stageTimestamp"] == events[0]["requestReceivedTimestamp"])
      #expect(events[1]["responseStatus"] == ["metadata": [:], "code": 201])
      #expect(events[1]["objectRef"]?["name"] == "a" && events[1]["objectRef"]?["uid"] == answer.json["metadata"]?["uid"])
      #expect(events[1]["annotations"]?["authorization.k8s.io/decision"] == "allow")
      #expect(events[1]["annotations"]?["authorization.k8s.io/reason"] == "")
      // Upstream's order of the fields, for people who read the lines.
      #expect(events[1].object.map { Array($0.keys.prefix(6)) } == ["kind", "apiVersion", "level", "auditID", "stage", "requestURI"])
    }
  }

  @Test("a name that the server made is in the event of the answer") func generatedName() async throws {
    try await Self.run(.metadata, omitStages: [.requestReceived]) { server, sink in
      let body = TestServer.manifest("a").replacing(#""name":"a""#, with: #""generateName":"run-""#)
      let answer = await Self.send(server, "POST", Self.collection, body: body)
      let events = sink.take()
      #expect(answer.status == 201 && events.count == 1)
      #expect(
        events[0]["objectRef"]?["name"] == answer.json["metadata"]?["name"]
          && events[0]["objectRef"]?["name"]?.string?.hasPrefix("run-") == true)
    }
  }

  @Test("Request: the body of the request; RequestResponse: also that of the answer") func bodies() async throws {
    let fields = #","managedFields":[{"manager":"m","operation":"Update","fieldsV1":{}}]"#
    let manifest = TestServer.manifest("a").replacing(#"{"team":"build"}"#, with: #"{"team":"build"}"# + fields)
    try await Self.run(.request) { server, sink in
      _ = await Self.send(server, "POST", Self.collection, body: manifest.replacing(",", with: ",\n"))
      let events = sink.take()
      #expect(events[0]["requestObject"] == nil)
      let sent = try JSONValue(parsing: manifest)
      #expect(events[1]["requestObject"] == sent && events[1]["responseObject"] == nil)
      _ = await Self.send(server, "GET", Self.collection + "/a")
      #expect(sink.take().allSatisfy { $0["requestObject"] == nil && $0["responseObject"] == nil })
      _ = await Self.send(server, "DELETE", Self.collection + "/a", body: #"{"propagationPolicy":"Background"}"#)
      #expect(sink.take().last?["requestObject"] == ["propagationPolicy": "Background"])
      _ = await Self.send(server, "POST", Self.collection, body: "no JSON")
      let broken = sink.take().last
      #expect(broken?["requestObject"] == nil && broken?["responseStatus"]?["code"] == 400)
    }
    try await Self.run(.requestResponse, omitManagedFields: true) { server, sink in
      let created = await Self.send(server, "POST", Self.collection, body: manifest)
      let event = sink.take()[1]
      #expect(event["requestObject"]?["metadata"]?["managedFields"] == nil && event["requestObject"]?["metadata"]?["name"] == "a")
      #expect(event["responseObject"]?["metadata"]?["uid"] == created.json["metadata"]?["uid"])
      let list = await Self.send(server, "GET", Self.collection, query: "pretty=true")
      let listed = sink.take().last
      #expect(listed?["responseObject"]?["items"]?.array?.count == list.json["items"]?.array?.count)
      // Whatever the client has it coded as.
      let yaml = await server.send("GET", Self.collection, headers: ["Authorization": "Bearer jane", "Accept": "application/yaml"])
      #expect(yaml.bytes.text.hasPrefix("kind: WorkflowList\n"))
      #expect(sink.take().last?["responseObject"]?["items"]?.array?.count == list.json["items"]?.array?.count)
      // What is no resource has no bodies in its events.
      _ = await Self.send(server, "GET", "/version")
      let version = sink.take().last
      #expect(version?["responseObject"] == nil && version?["objectRef"] == nil && version?["verb"] == "get")
      #expect(version?["responseStatus"] == ["metadata": [:], "code": 200])
    }
  }

  @Test("refusals: their Status, whole") func refusals() async throws {
    try await Self.run(.metadata, omitStages: [.requestReceived]) { server, sink in
      _ = await Self.send(server, "GET", Self.collection + "/nope")
      let event = sink.take()[0]
      #expect(
        event["responseStatus"] == [
          "metadata": [:], "status": "Failure", "message": #"workflows.workflow.example.com "nope" not found"#, "reason": "NotFound",
          "details": ["name": "nope", "group": "workflow.example.com", "kind": "workflows"], "code": 404,
        ])
      #expect(event["objectRef"]?["name"] == "nope")
      _ = await Self.send(server, "GET", Self.collection, query: "timeout=zz")
      #expect(sink.take().last?["responseStatus"]?["code"] == 400)
      _ = await Self.send(server, "GET", Self.collection + "/a/log")
      #expect(sink.take().map { $0["objectRef"]?["subresource"] } == ["log", "log"])
    }
  }

  private struct Deciding: Authorizer {
    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
      switch attributes.info.verb {
      case "delete": .denied(reason: "not on Sundays")
      case "patch": throw .internalError("the cluster does not answer")
      default: .allowed
      }
    }
  }

  @Test("denied and undecided requests, and those of nobody") func access() async throws {
    try await Self.run(.requestResponse, authorizer: Deciding()) { server, sink in
      _ = await Self.send(server, "DELETE", Self.collection + "/a")
      let denied = sink.take().last
      #expect(denied?["annotations"] == ["authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "not on Sundays"])
      #expect(denied?["responseStatus"]?["code"] == 403 && denied?["responseStatus"]?["reason"] == "Forbidden")
      _ = await Self.send(server, "PATCH", Self.collection + "/a", body: "{}")
      let failed = sink.take().last
      #expect(failed?["annotations"] == ["authorization.k8s.io/reason": "internal error"] && failed?["responseStatus"]?["code"] == 500)

      _ = await server.send("GET", Self.collection, headers: ["Authorization": "Bearer s3cret-token"])
      let nobody = sink.take()
      #expect(nobody.count == 1 && nobody[0]["stage"] == "ResponseComplete" && nobody[0]["user"] == [:])
      #expect(
        nobody[0]["responseStatus"]?["message"] == "Authentication failed, attempted: bearer" && nobody[0]["responseStatus"]?["code"] == 401
      )
      #expect(!nobody[0].text.contains("s3cret"))
    }
  }

  @Test("a watch has an event when it begins and one when it ends") func watch() async throws {
    try await Self.run(.requestResponse) { server, sink in
      let answer = await Self.send(server, "GET", "/workflows", query: "watch=true")
      #expect(sink.events.map { $0["stage"] } == ["RequestReceived", "ResponseStarted"])
      #expect(sink.events[1]["responseStatus"]?["code"] == 200 && sink.events[1]["verb"] == "watch")
      guard case .stream(let body) = answer.response.body else {
        Issue.record("no stream")
        return
      }
      body.start {}
      body.cancel()
      body.cancel()
      let events = sink.take()
      #expect(events.map { $0["stage"] } == ["RequestReceived", "ResponseStarted", "ResponseComplete"])
      #expect(events[2]["responseObject"] == nil && events[2]["annotations"]?["authorization.k8s.io/decision"] == "allow")
    }
  }

  @Test("a stream that nobody takes ends, too") func abandoned() async throws {
    try await Self.run(.metadata) { server, sink in
      _ = await Self.send(server, "GET", "/workflows", query: "watch=true")
      #expect(sink.take().last?["stage"] == "ResponseComplete")
    }
  }

  @Test("what the verbs noted is in the event of the answer") func notes() async throws {
    let sink = MemorySink()
    let auditor = Auditor(policy: AuditPolicy(rules: [AuditPolicy.Rule(.metadata)]), sink: sink, metrics: ServerMetrics())
    let request = HTTPRequest(method: "DELETE", path: "\(TestServer.base)\(Self.collection)/a")
    let info = try #require(RequestInfo(method: "DELETE", path: request.path, query: [:]))
    let trail = try #require(auditor.trail(request, info, user: UserInfo(name: "jane"), auditID: "x", received: Samples.noon))
    trail.note("authorization.k8s.io/decision", "allow")
    await trail.complete(HTTPResponse(status: 200), notes: ["workflow.example.com/backend": "ci", "workflow.example.com/run-id": "7"])
    #expect(
      sink.take()[0]["annotations"] == [
        "authorization.k8s.io/decision": "allow", "workflow.example.com/backend": "ci", "workflow.example.com/run-id": "7",
      ])
  }

  @Test(
    "addresses",
    arguments: [
      ("", "", "127.0.0.1:80", ["127.0.0.1"]), ("1.1.1.1, 127.0.0.1", "", "127.0.0.1:80", ["1.1.1.1", "127.0.0.1"]),
      ("", "2.2.2.2", "[::1]:80", ["2.2.2.2", "::1"]), ("2001:DB8:0::1", "2001:db8::1", "", ["2001:db8::1"]),
      ("<script>,'", "x", "unix", []), ("1.1.1.1", "3.3.3.3", "1.1.1.1:9", ["1.1.1.1", "3.3.3.3", "1.1.1.1"]),
    ])
  func addresses(_ forwarded: String, _ real: String, _ peer: String, _ wanted: [String]) {
    let request = HTTPRequest(
      method: "GET", path: "/", headers: ["X-Forwarded-For": forwarded, "X-Real-Ip": real], peer: HTTPPeer(address: peer))
    #expect(SourceAddresses.of(request) == wanted)
  }

  @Test("long user agents are cut, levels and events counted") func limits() async throws {
    let metrics = ServerMetrics()
    let sink = MemorySink()
    let auditor = Auditor(policy: AuditPolicy(rules: [AuditPolicy.Rule(.metadata)]), sink: sink, metrics: metrics)
    let request = HTTPRequest(method: "GET", path: "/version", headers: ["User-Agent": String(repeating: "x", count: 5000)])
    let info = try #require(RequestInfo(method: "GET", path: "/version", query: [:]))
    await auditor.trail(request, info, user: nil, auditID: "x", received: Samples.noon)?.received()
    #expect(sink.take()[0]["userAgent"]?.string?.count == 1024 + "...TRUNCATED".count)
    let parsed = try MetricsParser(metrics.text.text)
    #expect(parsed.value("apiserver_audit_event_total") == 1 && parsed.value("apiserver_audit_level_total", ["level": "Metadata"]) == 1)
  }
}
