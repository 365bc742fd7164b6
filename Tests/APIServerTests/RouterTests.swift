import HTTPMessage
import InMemoryAdapter
import JSON
import KubeWire
import OrderedCollections
import Testing
import YAMLText

@testable import APIServer

/// From the request to the in-memory engine and back.
@Suite(.timeLimit(.minutes(10))) struct RouterTests {
  private static let collection = "/namespaces/default/workflows"

  @Test("C7, L1, C24: created, read, listed, deleted") func lifeOfAWorkflow() async throws {
    try await TestServer.run { server in
      let created = await server.post(
        Self.collection, TestServer.manifest("a"), query: "fieldManager=kubectl-create&fieldValidation=Strict")
      #expect(created.status == 201, "\(created.message)")
      let uid = try #require(created.json["metadata"]?["uid"]?.string)
      #expect(created.json["kind"] == "Workflow" && created.json["metadata"]?["generation"] == 1)
      #expect(created.json["metadata"]?["labels"]?["team"] == "build" && created.json["metadata"]?["resourceVersion"]?.string != nil)

      let read = await server.get(Self.collection + "/a")
      #expect(read.status == 200 && read.json["metadata"]?["uid"] == .string(uid))
      #expect(read.response.headers["Cache-Control"] == "no-cache, private" && read.response.headers["Audit-Id"] != nil)
      let list = await server.get(Self.collection, query: "labelSelector=team%3Dbuild")
      #expect(list.json["items"]?.array?.count == 1 && list.json["kind"] == "WorkflowList")
      #expect(await server.get(Self.collection, query: "labelSelector=team%3Dother").json["items"] == [])
      #expect(await server.get(Self.collection, query: "fieldSelector=metadata.name%3Da").json["items"]?.array?.count == 1)
      #expect(await server.get(Self.collection + "/a/status").json["status"]?["phase"]?.string != nil)

      let key = try #require(server.engine.keys.last)
      try server.engine.start(key)
      try server.engine.finish(key)
      let deleted = await server.send("DELETE", Self.collection + "/a", body: Array(#"{"propagationPolicy":"Background"}"#.utf8))
      #expect(deleted.status == 200, "\(deleted.message)")
      if deleted.json["kind"] == "Status" {
        #expect(deleted.json["details"]?["uid"] == .string(uid) && deleted.json["details"]?["kind"] == "workflows")
      }
    }
  }

  @Test("T2, N2: tables and metadata through the whole way") func forms() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let table = await server.get(Self.collection, accept: "application/json;as=Table;v=v1;g=meta.k8s.io")
      #expect(table.json["kind"] == "Table" && table.json["rows"]?.array?.count == 1)
      for resource in ["/workflows", "/workflowtemplates", "/workflowbackends"] {
        let table = await server.get(resource, accept: "application/json;as=Table;v=v1;g=meta.k8s.io")
        let width = table.json["columnDefinitions"]?.array?.count
        for row in table.json["rows"]?.array ?? [] { #expect(row["cells"]?.array?.count == width) }
      }
      let metadata = await server.get(Self.collection + "/a", accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
      #expect(metadata.json["kind"] == "PartialObjectMetadata" && metadata.json["spec"] == nil)
    }
  }

  @Test("C3: unknown fields in all three modes") func fieldValidation() async throws {
    try await TestServer.run { server in
      func manifest(_ name: String) -> String {
        TestServer.manifest(name, spec: #"{"foo":1,"steps":[{"name":"s","nope":2,"command":["true"]}]}"#)
      }
      let strict = await server.post(Self.collection, manifest("a"), query: "fieldValidation=Strict")
      #expect(strict.status == 400 && strict.json["reason"] == "BadRequest")
      #expect(
        strict.message
          == #"Workflow in version "v1alpha1" cannot be handled as a Workflow: strict decoding error: unknown field "spec.foo", unknown field "spec.steps[0].nope""#
      )
      let warned = await server.post(Self.collection, manifest("b"))
      #expect(warned.status == 201)
      #expect(
        warned.warnings.contains(#"299 - "unknown field \"spec.foo\"""#)
          && warned.warnings.contains(#"299 - "unknown field \"spec.steps[0].nope\"""#))
      #expect(warned.json["spec"]?["foo"] == nil)
      let ignored = await server.post(Self.collection, manifest("c"), query: "fieldValidation=Ignore")
      #expect(ignored.status == 201 && !ignored.warnings.contains { $0.contains("unknown field") })
      let zork = await server.post(Self.collection, manifest("d"), query: "fieldValidation=Zork")
      #expect(zork.status == 422 && zork.message.contains("CreateOptions.meta.k8s.io"))
    }
  }

  @Test("N7, N9: YAML in and out, gzip for what is large") func codings() async throws {
    try await TestServer.run { server in
      let made = await server.post(
        Self.collection,
        "metadata:\n  name: a\n  annotations: {pad: \"\(String(repeating: "x", count: 150_000))\"}\nspec:\n  steps:\n  - {name: s, command: [\"true\"]}\n",
        type: "application/yaml")
      #expect(made.status == 201, "\(made.message)")
      let yaml = await server.get(Self.collection + "/a", accept: "application/yaml")
      #expect(yaml.response.headers["Content-Type"] == "application/yaml")
      guard case .bytes(let bytes) = yaml.response.body else { throw StatusError.internalError("no body") }
      #expect(try YAMLText.json(bytes)["metadata"]?["name"] == "a")
      let plain = await server.get(Self.collection)
      #expect(plain.response.headers["Content-Encoding"] == nil && plain.response.headers["Vary"] == "Accept-Encoding")
      let small = await server.send("GET", "/apis", headers: ["Accept-Encoding": "gzip"])
      #expect(small.response.headers["Content-Encoding"] == nil)
      let large = await server.send("GET", Self.collection, headers: ["Accept-Encoding": "gzip"])
      #expect(large.response.headers["Content-Encoding"] == "gzip")
      guard case .bytes(let packed) = large.response.body else { throw StatusError.internalError("no body") }
      #expect(packed.prefix(2) == [0x1F, 0x8B] && packed.count < 20_000)
    }
  }

  @Test("C2: a dry run stores nothing and has no version") func dryRun() async throws {
    try await TestServer.run { server in
      let answer = await server.post(Self.collection, TestServer.manifest("a"), query: "dryRun=All")
      #expect(answer.status == 201 && answer.json["metadata"]?["uid"]?.string != nil && answer.json["metadata"]?["resourceVersion"] == nil)
      #expect(await server.get(Self.collection + "/a").status == 404)
      #expect(server.engine.calls(.submit) == 0)
    }
  }

  @Test("C8, C9, C11, C5, N6: bad bodies") func badBodies() async throws {
    try await TestServer.run { server in
      func message(_ text: String, status: Int, _ expected: String, type: String? = "application/json") async {
        let answer = await server.post(Self.collection, text, type: type)
        #expect(answer.status == status && answer.message.contains(expected), "\(answer.status) \(answer.message)")
        #expect(answer.json["kind"] == "Status" && answer.json["apiVersion"] == "v1" && answer.json["code"] == .int(Int64(status)))
      }
      await message("{", status: 400, "json parse error: line 1, column 2")
      await message("[]", status: 400, "the body is no object")
      await message(
        TestServer.manifest("a", spec: #"{"templateRef":{"name":"nightly"},"parameters":{"seconds":1e400}}"#), status: 400,
        "a number that is too large")
      await message(
        #"{"kind":"Zork","apiVersion":"v1"}"#, status: 400,
        #"Zork in version "v1" cannot be handled as a Workflow: no kind "Zork" is registered for version "v1""#)
      await message(
        #"{"metadata":{"name":"a","namespace":"other"},"spec":{}}"#, status: 400,
        "the namespace of the provided object does not match the namespace sent on the request")
      await message(
        TestServer.manifest("Bad_Name"), status: 422, #"metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain"#)
      await message(
        #"{"spec":{"steps":[{"name":"a","command":["true"]}]}}"#, status: 422,
        "metadata.name: Required value: name or generateName is required")
      await message(
        TestServer.manifest("a", spec: #"{"timeout":5}"#), status: 400,
        "json: cannot unmarshal number into Go struct field Workflow.spec.timeout of type string")
      await message(TestServer.manifest("a", spec: "{}"), status: 422, "spec: Required value")
      await message("kind: Workflow", status: 415, "application/json, application/yaml", type: "text/plain")
      await message("kind: Workflow\nkind: Workflow\n", status: 400, "the key 'kind' is there twice", type: "application/yaml")
      await message("spec: {parameters: {a: .inf}}", status: 400, "line 1: JSON has no such number", type: "application/yaml")
      let large = await server.post(Self.collection, "\"" + String(repeating: "x", count: 3 << 20) + "\"")
      #expect(large.status == 413 && large.message == "Request entity too large: limit is 3145728")
      // N6: a request without a type is JSON.
      #expect(await server.post(Self.collection, TestServer.manifest("ok"), type: nil).status == 201)
      let twice = await server.post(Self.collection, TestServer.manifest("ok"))
      #expect(twice.status == 409 && twice.json["reason"] == "AlreadyExists")
      #expect(twice.message.hasPrefix(#"workflows.workflow.example.com "ok" already exists"#))
    }
  }

  @Test("C10: generateName") func generateName() async throws {
    try await TestServer.run { server in
      let answer = await server.post(
        Self.collection, #"{"metadata":{"generateName":"run-"},"spec":{"steps":[{"name":"a","command":["true"]}]}}"#)
      #expect(
        answer.status == 201 && answer.json["metadata"]?["name"]?.string?.wholeMatch(of: /run-[bcdfghjklmnpqrstvwxz2456789]{5}/) != nil)
    }
  }

  @Test("W3, W7, W14: a WatchList sees what is there, its end, and what comes") func watchList() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let answer = await server.get(
        Self.collection, query: "allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&watch=true")
      #expect(answer.status == 200 && answer.response.headers["Content-Type"] == "application/json")
      guard case .stream(let stream) = answer.response.body else {
        Issue.record("no stream: \(answer.message)")
        return
      }
      let reader = WatchReader(stream)
      let first = try #require(await reader.next())
      #expect(first["type"] == "ADDED" && first["object"]?["metadata"]?["name"] == "a")
      let end = try #require(await reader.next())
      #expect(end["type"] == "BOOKMARK" && end["object"]?["metadata"]?["annotations"]?["k8s.io/initial-events-end"] == "true")
      _ = await server.post(Self.collection, TestServer.manifest("b"))
      var seen: JSONValue?
      while let event = try await reader.next() {
        if event["type"] == "ADDED" {
          seen = event
          break
        }
      }
      #expect(seen?["object"]?["metadata"]?["name"] == "b")
      reader.cancel()
    }
  }

  @Test("W4, W6, L5: a watch from a wrong version") func watchVersions() async throws {
    try await TestServer.run { server in
      let old = await server.get(Self.collection, query: "watch=true&resourceVersion=1")
      guard case .stream(let stream) = old.response.body else { throw StatusError.internalError("not streamed") }
      let reader = WatchReader(stream)
      let event = try #require(try await reader.next())
      #expect(old.status == 200 && event["type"] == "ERROR")
      #expect(event["object"]?["reason"] == "Expired" && event["object"]?["code"] == 410)
      #expect(try await reader.next() == nil)
      #expect(await server.get(Self.collection, query: "watch=true&resourceVersion=zork").status == 400)
    }
  }

  @Test("W1, N7: the 410 of a watch is one line of JSON, whatever reads it and whatever else it takes") func watchErrorLine() async throws {
    try await TestServer.run { server in
      let wishes: [(query: String, headers: HTTPHeaders)] = [
        ("&pretty=true", [:]), ("", ["User-Agent": "curl/8"]), ("", ["Accept": "application/yaml, application/json"]),
      ]
      for (query, headers) in wishes {
        let old = await server.send("GET", Self.collection, query: "watch=true&resourceVersion=1" + query, headers: headers)
        guard case .stream(let stream) = old.response.body else { throw StatusError.internalError("not streamed") }
        stream.start {}
        guard case .bytes(let bytes) = stream.next() else { throw StatusError.internalError("no line") }
        #expect(old.response.headers["Content-Type"] == "application/json")
        #expect(bytes.firstIndex(of: 0x0A) == bytes.count - 1 && (try? JSONValue(parsing: bytes))?["type"] == "ERROR", "\(bytes.text)")
        if case .end = stream.next() {} else { Issue.record("it goes on") }
      }
    }
  }

  @Test("N1: what is not YAML by the clause that is taken is JSON") func notYAML() async throws {
    try await TestServer.run { server in
      let answer = await server.get(Self.collection, accept: "application/yaml;as=Foo;g=x;v=v1, application/json")
      #expect(answer.response.headers["Content-Type"] == "application/json" && answer.json["kind"] == "WorkflowList")
      let table = await server.get(Self.collection, accept: "application/yaml;as=Table;g=meta.k8s.io;v=v1, application/json")
      #expect(table.response.headers["Content-Type"] == "application/yaml" && table.bytes.text.hasPrefix("kind: Table\n"))
    }
  }

  @Test("Log, cancel, retry") func subresources() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      let key = try #require(server.engine.keys.last)
      try server.engine.start(key)
      try server.engine.appendLog("hello\n", to: key)
      let log = await server.get(Self.collection + "/a/log")
      #expect(log.status == 200 && log.response.headers["Content-Type"]?.hasPrefix("text/plain") == true)
      if case .stream(let stream) = log.response.body { stream.cancel() }
      #expect(await server.get(Self.collection + "/a/log", query: "tailLines=-1").status == 422)
      #expect(await server.get(Self.collection + "/a/log", query: "sinceSeconds=-9223372036854775808").status == 422)
      let since = await server.get(Self.collection + "/a/log", query: "sinceSeconds=9223372036854775807&tailLines=9223372036854775807")
      #expect(since.status == 200)
      if case .stream(let stream) = since.response.body { stream.cancel() }
      #expect(await server.get(Self.collection, query: "limit=9223372036854775807").status == 200)
      let cancelled = await server.send("POST", Self.collection + "/a/cancel")
      #expect(cancelled.status == 201 && cancelled.json["kind"] == "Workflow", "\(cancelled.message)")
    }
  }

  @Test("C18, C19: patches") func patches() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      func patch(_ text: String, _ type: String?) async -> TestServer.Answer {
        await server.send("PATCH", Self.collection + "/a", headers: type.map { ["Content-Type": $0] } ?? [:], body: Array(text.utf8))
      }
      let none = await patch(#"{"metadata":{"labels":{"team":"build"}}}"#, "application/merge-patch+json")
      #expect(none.status == 200 && none.json["metadata"]?["name"] == "a")
      let change = await patch(#"{"spec":{"timeout":"5m"}}"#, "application/merge-patch+json")
      #expect(change.status == 422 && change.json["details"]?["causes"]?.array?.first?["field"] == "spec.timeout")
      #expect(await patch(#"{"metadata":{"resourceVersion":"1"}}"#, "application/merge-patch+json").status == 409)
      for type in ["application/strategic-merge-patch+json", nil] {
        let refused = await patch("{}", type)
        #expect(refused.status == 415 && refused.json["reason"] == "UnsupportedMediaType")
      }
    }
  }

  @Test("E1: what is refused is refused with a Status, and nothing is empty or a redirect") func refusals() async throws {
    try await TestServer.run { server in
      let paths: [(String, String, String, Int)] = [
        ("GET", "/nope", "", 404), ("GET", "/apis/other.example.com", "", 404), ("GET", "/apis/workflow.example.com/v1", "", 404),
        ("GET", "/apis/workflow.example.com/v1alpha1/zorks", "", 404), ("GET", "//", "", 404), ("POST", "/apis", "", 405),
        ("POST", "/workflows", "", 405), ("PUT", "/namespaces/default/workflows/a", "", 400), ("PUT", "/workflowbackends/a", "", 405),
        ("DELETE", "/workflowbackends/a", "", 405),
        ("GET", "/namespaces/default/workflows/nope", "", 404), ("GET", "/workflows", "limit=zork", 400),
        ("GET", "/workflows", "labelSelector=a%3D%3D%3Db", 400), ("GET", "/workflows", "fieldSelector=spec.nope%3Da", 400),
        ("GET", "/workflows", "resourceVersion=zork", 400), ("GET", "/workflows", "timeout=zz", 400),
        ("GET", "/workflows", "watch=1&sendInitialEvents=1", 422), ("GET", "/workflows", "continue=zork", 400),
        ("DELETE", "/namespaces/default/workflows", "propagationPolicy=Zork", 422), ("FOO", "/namespaces/default/workflows", "", 405),
      ]
      for (method, path, query, status) in paths {
        let answer = await server.send(method, path, query: query)
        #expect(answer.status == status, "\(method) \(path)?\(query): \(answer.status) \(answer.message)")
        #expect(answer.json["kind"] == "Status" && answer.json["code"] == .int(Int64(status)), "\(method) \(path)")
        #expect(answer.response.headers["Content-Type"] == "application/json" && answer.response.headers["Location"] == nil)
      }
      let refused = await server.get("/workflows", accept: "application/vnd.kubernetes.protobuf")
      #expect(refused.status == 406 && refused.json["reason"] == "NotAcceptable")
    }
  }

  @Test("Namespaces without a binding: an empty list with a Warning, a create is refused") func unbound() async throws {
    try await TestServer.run { server in
      let list = await server.get("/namespaces/other/workflows")
      #expect(list.status == 200 && list.json["items"] == [] && !list.warnings.isEmpty)
      #expect(await server.post("/namespaces/other/workflows", TestServer.manifest("a")).status == 422)
      let observed = await server.post("/namespaces/watched/workflows", TestServer.manifest("a"))
      #expect(observed.status == 403 && observed.message.contains("access"), "\(observed.message)")
    }
  }

  @Test("D7, D12, H3: before it has begun, objects are 503 and documents are there") func starting() async {
    let server = TestServer()
    let object = await server.get("/namespaces/default/workflows/a")
    #expect(object.status == 503 && object.json["reason"] == "ServiceUnavailable" && object.response.headers["Retry-After"] == "1")
    #expect(await server.get(TestServer.base).status == 200)
    #expect(await server.get(TestServer.base + "/").status == 200)
    #expect(await server.get("/openapi/v3").status == 200)
    #expect(await server.get("/readyz").status == 500)
    #expect(await server.get("/livez").status == 200)
  }

  @Test("HEAD is answered like GET (the server leaves the body out); curl gets line breaks") func headAndPretty() async {
    let server = TestServer()
    let head = await server.send("HEAD", "/version")
    #expect(head.status == 200 && head.json["gitVersion"]?.string != nil)
    let pretty = await server.send("GET", "/version", headers: ["User-Agent": "curl/8"])
    #expect(pretty.bytes.text.hasPrefix("{\n  \"major\""))
    #expect(await server.get("/version", query: "pretty=true").bytes.text.contains("\n"))
  }
}
