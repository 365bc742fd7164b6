import HTTPMessage
import InMemoryAdapter
import JSON
import KubeWire
import OrderedCollections
import Testing

@testable import APIServer

/// Server-side apply from the request to the in-memory engine and back.
@Suite(.timeLimit(.minutes(10))) struct RouterApplyTests {
  private static let collection = "/namespaces/default/workflows"
  private static let a = collection + "/a"

  /// YAML, as kubectl sends it.
  private static func manifest(labels: String = "{team: build}", more: String = "") -> String {
    """
    apiVersion: workflow.example.com/v1alpha1
    kind: Workflow
    metadata:
      name: a
      labels: \(labels)
    spec:
      steps:
      - {name: build, command: ["true"]}
    \(more)
    """
  }

  private static func managers(_ object: JSONValue) -> [String] {
    (object["metadata"]?["managedFields"]?.array ?? []).map {
      [$0["manager"], $0["operation"], $0["subresource"]].compactMap { $0?.string }.joined(separator: " ")
    }
  }

  private static func owned(_ object: JSONValue, by manager: String) -> JSONValue? {
    object["metadata"]?["managedFields"]?.array?.first { $0["manager"]?.string == manager }?["fieldsV1"]
  }

  @Test("S3: an apply creates; once more changes nothing") func createsOnce() async throws {
    try await TestServer.run { server in
      let made = await server.patch(Self.a, .apply, Self.manifest(), query: "fieldManager=flux&fieldValidation=Strict")
      #expect(made.status == 201 && Self.managers(made.json) == ["flux Apply"], "\(made.message)")
      #expect(Self.owned(made.json, by: "flux")?["f:metadata"]?["f:labels"]?["f:team"] == [:])
      #expect(Self.owned(made.json, by: "flux")?["f:spec"]?["f:steps"]?[#"k:{"name":"build"}"#] != nil)
      let now = await server.get(Self.a).json
      let again = await server.patch(Self.a, .apply, Self.manifest(), query: "fieldManager=flux")
      #expect(again.status == 200 && again.json["metadata"]?["resourceVersion"] == now["metadata"]?["resourceVersion"])
      #expect(again.json["metadata"]?["managedFields"] == made.json["metadata"]?["managedFields"])
      let dry = await server.patch(Self.a, .apply, Self.manifest(labels: "{team: other}"), query: "fieldManager=flux&dryRun=All")
      #expect(dry.status == 200 && dry.json["metadata"]?["labels"]?["team"] == "other")
      #expect(await server.get(Self.a).json["metadata"]?["labels"]?["team"] == "build")
    }
  }

  /// May change everything and make nothing.
  private struct Patching: Authorizer {
    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
      attributes.info.verb == "create" ? .denied(reason: "") : .allowed
    }
  }

  @Test("S3: an apply that would create needs the permission to create") func createPermission() async throws {
    try await TestServer.run(authorizer: Patching()) { server in
      for query in ["fieldManager=flux", "fieldManager=flux&dryRun=All"] {
        let refused = await server.patch(Self.a, .apply, Self.manifest(), query: query)
        #expect(
          refused.status == 403 && refused.message.contains(#"cannot create resource "workflows" in API group "workflow.example.com""#),
          "\(refused.message)")
      }
      #expect(server.engine.calls(.submit) == 0)
    }
  }

  @Test("S3, S5: two managers: conflict, force, shared ownership, and what nobody applies any more goes") func conflicts() async throws {
    try await TestServer.run { server in
      _ = await server.patch(Self.a, .apply, Self.manifest(labels: "{team: build, mine: x}"), query: "fieldManager=one")
      let refused = await server.patch(Self.a, .apply, Self.manifest(labels: "{team: deploy}"), query: "fieldManager=two")
      #expect(refused.status == 409 && refused.json["reason"] == "Conflict")
      #expect(refused.message == #"Apply failed with 1 conflict: conflict with "one": .metadata.labels.team"#, "\(refused.message)")
      #expect(refused.json["details"]?["causes"]?.array?.first?["reason"] == "FieldManagerConflict")
      let forced = await server.patch(Self.a, .apply, Self.manifest(labels: "{team: deploy}"), query: "fieldManager=two&force=true")
      #expect(forced.status == 200 && forced.json["metadata"]?["labels"]?["team"] == "deploy", "\(forced.message)")
      #expect(Set(Self.managers(forced.json)) == ["one Apply", "two Apply"])
      let pruned = await server.patch(Self.a, .apply, Self.manifest(labels: "{}"), query: "fieldManager=one")
      #expect(pruned.status == 200 && pruned.json["metadata"]?["labels"]?["mine"] == nil, "\(pruned.message)")
      #expect(pruned.json["metadata"]?["labels"]?["team"] == "deploy")
      // Kept with the run: it is so after everything was read again.
      #expect(Set(Self.managers(await server.get(Self.a).json)) == ["one Apply", "two Apply"])
    }
  }

  @Test("S5, S6: updates own what they change, by fieldManager or User-Agent") func updates() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"), query: "fieldManager=kubectl-create")
      let patched = await server.send(
        "PATCH", Self.a, headers: ["Content-Type": "application/merge-patch+json", "User-Agent": "kopf/1.37 (linux)"],
        body: Array(#"{"metadata":{"annotations":{"kopf":"1"}}}"#.utf8))
      #expect(Set(Self.managers(patched.json)) == ["kubectl-create Update", "kopf Update"], "\(Self.managers(patched.json))")
      #expect(Self.owned(patched.json, by: "kopf")?["f:metadata"]?["f:annotations"]?["f:kopf"] == [:])
      let status = await server.patch(Self.a + "/status", .merge, #"{"status":{"mine":1}}"#, query: "fieldManager=me")
      #expect(Self.managers(status.json).contains("me Update status"), "\(Self.managers(status.json))")
    }
  }

  @Test("S4: JSON patch of the managed fields") func reset() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"), query: "fieldManager=kubectl-create")
      let reset = await server.patch(Self.a, .json, #"[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]"#)
      #expect(reset.status == 200 && reset.json["metadata"]?["managedFields"] == nil, "\(reset.message)")
      #expect(await server.get(Self.a).json["metadata"]?["managedFields"] == nil)
      let applied = await server.patch(Self.a, .apply, Self.manifest(), query: "fieldManager=two")
      #expect(applied.status == 200 && Self.managers(applied.json).contains("two Apply"), "\(applied.message)")
    }
  }

  @Test("S3: what is no configuration of this object") func refusals() async throws {
    try await TestServer.run { server in
      func message(_ text: String, _ status: Int, _ expected: String, query: String = "fieldManager=m", path: String = Self.a) async {
        let answer = await server.patch(path, .apply, text, query: query)
        #expect(answer.status == status && answer.message.contains(expected), "\(answer.status) \(answer.message)")
      }
      await message(Self.manifest(), 422, "fieldManager: Required value: is required for apply patch", query: "")
      await message("metadata: {name: a}", 400, "invalid object type: /, Kind=")
      await message("apiVersion: v1\nkind: Pod", 400, "invalid object type: /v1, Kind=Pod")
      await message("{", 400, "error decoding YAML")
      await message(Self.manifest() + "\n", 400, "does not match the name on the URL", path: Self.collection + "/b")
      let managed = Self.manifest().replacing("  name: a", with: "  name: a\n  managedFields: []")
      await message(managed, 400, "metadata.managedFields must be nil")
      let uid = Self.manifest().replacing("  name: a", with: "  name: a\n  uid: zork")
      await message(uid, 409, "uid mismatch: the provided object specified uid zork, and no existing object was found")
      let unknown = Self.manifest(more: "  zork: 1")
      await message(unknown, 400, #"unknown field "spec.zork""#, query: "fieldManager=m&fieldValidation=Strict")
      #expect(await server.get(Self.a).status == 404)
    }
  }

  @Test("C3, C4, S3: members that come twice in an applied configuration") func repeated() async throws {
    try await TestServer.run { server in
      let body =
        #"{"apiVersion":"workflow.example.com/v1alpha1","kind":"Workflow","metadata":{"name":"a","labels":{"team":"x","team":"build"}},"spec":{"steps":[{"name":"s","command":["true"],"image":"a","image":"b"}]}}"#
      let strict = await server.patch(Self.a, .apply, body, query: "fieldManager=m&fieldValidation=Strict")
      #expect(strict.status == 400, "\(strict.message)")
      #expect(
        strict.message
          == #"error strict decoding YAML: duplicate field "metadata.labels.team", duplicate field "spec.steps[0].image""#,
        "\(strict.message)")
      #expect(await server.get(Self.a).status == 404)
      let ignored = await server.patch(Self.a, .apply, body, query: "fieldManager=m&fieldValidation=Ignore&dryRun=All")
      #expect(ignored.status == 201 && ignored.warnings.isEmpty, "\(ignored.message)")
      let warned = await server.patch(Self.a, .apply, body, query: "fieldManager=m")
      #expect(warned.status == 201 && warned.json["metadata"]?["labels"]?["team"] == "build", "\(warned.message)")
      #expect(
        warned.warnings == [#"299 - "duplicate field \"metadata.labels.team\"""#, #"299 - "duplicate field \"spec.steps[0].image\"""#])
      // Our YAML parser reads no such text.
      for validation in ["Strict", "Warn", "Ignore"] {
        let yaml = await server.patch(
          Self.a, .apply, Self.manifest(labels: "{team: x, team: build}"), query: "fieldManager=m&fieldValidation=\(validation)")
        #expect(yaml.status == 400 && yaml.message.contains("the key 'team' is there twice"), "\(yaml.message)")
      }
    }
  }
}
