import JSON
import OrderedCollections
import Testing

@testable import KubeWire

/// Server-side apply of Workflows, scenario by scenario; the expectations are those of Kubernetes' own implementation.
@Suite struct FieldManagerTests {
  static let version = "workflow.example.com/v1alpha1"
  static let fields = FieldManager(schema: KindDescription.workflow(group: "workflow.example.com").schema, apiVersion: version)

  /// An object with its account, as a server keeps them.
  struct Server {
    var object: JSONValue?
    var managed = ManagedFields()
    var clock = Timestamp("2026-11-22T19:00:00Z")!

    mutating func apply(_ manager: String, _ content: JSONValue, force: Bool = false) throws(ApplyConflict) {
      clock = clock + .seconds(60)
      let applied = FieldManagerTests.workflow(content)
      let result = try FieldManagerTests.fields.apply(applied, to: object, managed: managed, manager: manager, force: force, now: clock)
      (object, managed) = (result.object, result.managed)
    }

    mutating func update(_ manager: String, subresource: String = "", _ patch: JSONValue) {
      clock = clock + .seconds(60)
      guard let old = object else {
        let new = FieldManagerTests.workflow([:]).merging(patch: patch)
        managed = FieldManagerTests.fields.created(new, manager: manager, now: clock)
        object = new
        return
      }
      let new = old.merging(patch: patch)
      managed = FieldManagerTests.fields.update(
        from: old, to: new, managed: managed, manager: manager, subresource: subresource, now: clock)
      object = new
    }

    /// The FieldsV1 of one manager.
    func fields(_ manager: String, _ operation: ManagedFields.Operation = .apply) -> JSONValue? {
      managed.entries.first { $0.manager == manager && $0.operation == operation }?.fields.json
    }

    var spec: JSONValue? { object?["spec"] }
  }

  /// `content` laid over what identifies it.
  static func workflow(_ content: JSONValue) -> JSONValue {
    let identity: JSONValue = ["apiVersion": .string(version), "kind": "Workflow", "metadata": ["name": "a", "namespace": "default"]]
    return identity.merging(patch: content)
  }

  @Test("The first apply creates; who set what is told in FieldsV1") func create() throws {
    var server = Server()
    try server.apply(
      "flux",
      [
        "metadata": ["labels": ["app": "x"], "finalizers": ["example.com/f"]],
        "spec": [
          "suspend": true, "parameters": ["n": 1, "deep": ["x": [1, 2]], "empty": [:]], "templateRef": ["name": "t"],
          "steps": [["name": "s1", "image": "i", "command": ["a"], "env": [["name": "E", "value": "1"]]]],
        ], "status": ["phase": "Running"],
      ])
    #expect(
      server.managed.json == [
        [
          "manager": "flux", "operation": "Apply", "apiVersion": "workflow.example.com/v1alpha1", "time": "2026-11-22T19:01:00Z",
          "fieldsType": "FieldsV1",
          "fieldsV1": [
            "f:metadata": ["f:finalizers": ["v:\"example.com/f\"": [:]], "f:labels": ["f:app": [:]]],
            "f:spec": [
              "f:parameters": ["f:deep": [".": [:], "f:x": [:]], "f:empty": [:], "f:n": [:]],
              "f:steps": [
                "k:{\"name\":\"s1\"}": [
                  ".": [:], "f:command": [:], "f:env": ["k:{\"name\":\"E\"}": [".": [:], "f:name": [:], "f:value": [:]]], "f:image": [:],
                  "f:name": [:],
                ]
              ], "f:suspend": [:], "f:templateRef": ["f:name": [:]],
            ],
          ],
        ]
      ])
    #expect(server.object?["status"] == nil, "the status is not applied through the object itself")
  }

  @Test("Applying the same again changes nothing, not even the time") func repeated() throws {
    var server = Server()
    let content: JSONValue = ["metadata": ["labels": ["a": "1"]], "spec": ["steps": [["name": "s"]], "parameters": ["x": 1.0]]]
    try server.apply("flux", content)
    let (object, managed) = (server.object, server.managed)
    try server.apply("flux", content)
    #expect(server.object == object && server.managed == managed)
  }

  @Test("One conflict, two conflicts, and two holders: the texts") func conflicts() throws {
    var server = Server()
    try server.apply("a", ["spec": ["suspend": false, "timeout": "1h"]])
    let one = #expect(throws: ApplyConflict.self) { try server.apply("b", ["spec": ["suspend": true]]) }
    #expect(one?.message == "Apply failed with 1 conflict: conflict with \"a\": .spec.suspend")
    #expect(one?.causes == [Status.Cause(reason: "FieldManagerConflict", message: "conflict with \"a\"", field: ".spec.suspend")])
    #expect(one?.statusError.code == 409 && one?.statusError.status.reason == "Conflict")
    let two = #expect(throws: ApplyConflict.self) { try server.apply("b", ["spec": ["suspend": true, "timeout": "2h"]]) }
    #expect(two?.message == "Apply failed with 2 conflicts: conflicts with \"a\":\n- .spec.suspend\n- .spec.timeout")
    server.update("kubectl-edit", ["spec": ["timeout": "3h"]])
    let mixed = #expect(throws: ApplyConflict.self) { try server.apply("b", ["spec": ["suspend": true, "timeout": "2h"]]) }
    #expect(
      mixed?.message
        == "Apply failed with 2 conflicts: conflicts with \"a\":\n- .spec.suspend\n"
        + "conflicts with \"kubectl-edit\" using workflow.example.com/v1alpha1:\n- .spec.timeout")
    #expect(server.spec == ["suspend": false, "timeout": "3h"])
  }

  @Test("Force takes the field, and the time moves") func force() throws {
    var server = Server()
    try server.apply("a", ["spec": ["suspend": false, "timeout": "1h"]])
    try server.apply("b", ["spec": ["suspend": true]], force: true)
    #expect(server.spec == ["suspend": true, "timeout": "1h"])
    #expect(server.fields("a") == ["f:spec": ["f:timeout": [:]]] && server.fields("b") == ["f:spec": ["f:suspend": [:]]])
    try server.apply("b", ["spec": ["timeout": "2h"]], force: true)
    #expect(server.spec == ["timeout": "2h"], "what b gave up goes")
    #expect(server.managed.entries.map(\.manager) == ["b"], "an entry without fields goes")
  }

  @Test("Two with the same value share it; who gives it up leaves it to the other") func shared() throws {
    var server = Server()
    try server.apply("a", ["spec": ["suspend": true, "timeout": "1h"]])
    try server.apply("b", ["spec": ["suspend": true]])
    #expect(server.fields("a") == ["f:spec": ["f:suspend": [:], "f:timeout": [:]]] && server.fields("b") == ["f:spec": ["f:suspend": [:]]])
    #expect(server.managed.entries.first { $0.manager == "b" }?.time == nil, "b changed nothing yet")
    try server.apply("a", ["spec": ["timeout": "1h"]])
    #expect(server.spec == ["suspend": true, "timeout": "1h"])
    try server.apply("b", [:])
    #expect(server.spec == ["timeout": "1h"] && server.fields("b") == nil)
  }

  @Test("Given up by its only owner, a whole structure goes; what others put in stays") func giveUp() throws {
    var server = Server()
    try server.apply("a", ["metadata": ["labels": ["x": "1"]], "spec": ["suspend": true, "templateRef": ["name": "t"]]])
    server.update("b", ["metadata": ["labels": ["y": "2"]]])
    try server.apply("a", ["spec": ["suspend": true]])
    #expect(server.spec == ["suspend": true] && server.object?["metadata"]?["labels"] == ["y": "2"])
    try server.apply("a", [:])
    #expect(server.object?["spec"] == nil, "a named structure that nobody has anything in goes with its last field")
  }

  @Test("Keyed lists: elements of two, order, removal") func keyed() throws {
    var server = Server()
    try server.apply("a", ["spec": ["steps": [["name": "s1", "image": "i"], ["name": "s2"]]]])
    try server.apply("b", ["spec": ["steps": [["name": "s3", "image": "k"], ["name": "s1", "command": ["x"]]]]])
    #expect(
      server.spec?["steps"] == [["name": "s3", "image": "k"], ["name": "s1", "image": "i", "command": ["x"]], ["name": "s2"]])
    let conflict = #expect(throws: ApplyConflict.self) {
      try server.apply("b", ["spec": ["steps": [["name": "s1", "image": "other"]]]])
    }
    #expect(conflict?.conflicts.map(\.pathText) == [".spec.steps[name=\"s1\"].image"])
    try server.apply("a", ["spec": ["steps": [["name": "s2"]]]])
    #expect(
      server.spec?["steps"] == [["name": "s3", "image": "k"], ["name": "s1", "command": ["x"]], ["name": "s2"]],
      "the element stays with what b has in it")
    try server.apply("b", ["spec": ["steps": [["name": "s3", "image": "k"]]]])
    #expect(server.spec?["steps"] == [["name": "s3", "image": "k"], ["name": "s2"]])
  }

  @Test(
    "The order of a merged list",
    arguments: [("ab", "ca", "cab"), ("xa", "ca", "xca"), ("abc", "cb", "acb"), ("abcd", "db", "acdb"), ("", "ab", "ab"), ("ab", "", "ab")])
  func order(live: String, applied: String, merged: String) {
    func list(_ names: String) -> JSONValue { ["spec": ["steps": .array(names.map { ["name": .string(String($0))] })]] }
    let result = Self.fields.schema.merge(list(live), list(applied))
    #expect(result["spec"]?["steps"]?.array?.compactMap { $0["name"]?.string }.joined() == merged)
  }

  @Test("Set lists: finalizers of two; ownerReferences by uid, each as a whole") func sets() throws {
    var server = Server()
    func owner(_ uid: String, _ name: String) -> JSONValue {
      ["apiVersion": "v1", "kind": "ConfigMap", "name": .string(name), "uid": .string(uid)]
    }
    try server.apply("a", ["metadata": ["finalizers": ["a/a", "s/s"], "ownerReferences": [owner("1", "x")]]])
    try server.apply("b", ["metadata": ["finalizers": ["b/b", "s/s"], "ownerReferences": [owner("2", "y")]]])
    #expect(server.object?["metadata"]?["finalizers"] == ["a/a", "b/b", "s/s"])
    #expect(server.fields("b")?["f:metadata"]?["f:ownerReferences"] == ["k:{\"uid\":\"2\"}": [:]])
    let conflict = #expect(throws: ApplyConflict.self) { try server.apply("b", ["metadata": ["ownerReferences": [owner("1", "z")]]]) }
    #expect(conflict?.conflicts.map(\.pathText) == [".metadata.ownerReferences[uid=\"1\"]"])
    try server.apply("a", [:])
    #expect(server.object?["metadata"]?["finalizers"] == ["b/b", "s/s"])
    #expect(server.object?["metadata"]?["ownerReferences"] == [owner("2", "y")])
  }

  @Test("Free objects: member by member, lists as a whole, a text where an object was") func free() throws {
    var server = Server()
    try server.apply("a", ["spec": ["parameters": ["m": ["x": 1], "l": [1, 2]]]])
    try server.apply("b", ["spec": ["parameters": ["m": ["y": 2]]]])
    #expect(server.spec?["parameters"] == ["m": ["x": 1, "y": 2], "l": [1, 2]])
    let list = #expect(throws: ApplyConflict.self) { try server.apply("b", ["spec": ["parameters": ["l": [1, 2, 3]]]]) }
    #expect(list?.conflicts.map(\.pathText) == [".spec.parameters.l"])
    try server.apply("b", ["spec": ["parameters": ["m": "text"]]], force: true)
    #expect(server.spec?["parameters"] == ["m": "text", "l": [1, 2]])
    #expect(server.fields("a") == ["f:spec": ["f:parameters": ["f:l": [:]]]])
  }

  @Test("An update takes what it changes from everybody, and what it removes") func updates() throws {
    var server = Server()
    try server.apply("a", ["metadata": ["labels": ["x": "1", "y": "1"]], "spec": ["suspend": false, "timeout": "1h"]])
    server.update("kubectl-edit", ["metadata": ["labels": ["x": nil], "resourceVersion": "9"], "spec": ["suspend": true]])
    #expect(server.fields("a") == ["f:metadata": ["f:labels": ["f:y": [:]]], "f:spec": ["f:timeout": [:]]])
    #expect(server.fields("kubectl-edit", .update) == ["f:spec": ["f:suspend": [:]]])
    let before = server.managed
    server.update("kubectl-label", ["spec": ["suspend": true]])
    #expect(server.managed == before, "no change, no entry")
    server.update("kubectl-label", ["metadata": ["generation": 2]])
    #expect(server.managed == before, "what is the server's has no managers")
    server.update("kubectl-edit", ["spec": ["timeout": "2h"]])
    #expect(server.fields("kubectl-edit", .update) == ["f:spec": ["f:suspend": [:], "f:timeout": [:]]])
  }

  @Test("The status has managers only through its subresource, and only it has there") func status() throws {
    var server = Server()
    server.update("kubectl-create", ["spec": ["suspend": true], "status": ["phase": "Pending"]])
    #expect(server.fields("kubectl-create", .update) == ["f:spec": [".": [:], "f:suspend": [:]]])
    server.update(
      "controller", subresource: "status",
      ["metadata": ["labels": ["x": "1"]], "status": ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]])
    #expect(
      server.fields("controller", .update) == [
        "f:status": [
          "f:conditions": [".": [:], "k:{\"type\":\"Ready\"}": [".": [:], "f:status": [:], "f:type": [:]]], "f:phase": [:],
        ]
      ])
    #expect(server.managed.entries.last?.subresource == "status")
    let applied = Self.workflow(["spec": ["suspend": false], "status": ["phase": "Failed"]])
    let conflict = #expect(throws: ApplyConflict.self) {
      try Self.fields.apply(
        applied, to: server.object, managed: server.managed, manager: "c", subresource: "status", force: false, now: server.clock)
    }
    #expect(
      conflict?.message
        == "Apply failed with 1 conflict: conflict with \"controller\" with subresource \"status\" using workflow.example.com/v1alpha1: "
        + ".status.phase")
  }

  @Test("The first apply over an object without an account") func beforeFirstApply() throws {
    var server = Server(object: Self.workflow(["spec": ["suspend": true], "status": ["phase": "Running"]]))
    server.update("kubectl-edit", ["spec": ["timeout": "1h"]])
    #expect(server.managed.isEmpty, "nothing is kept before the first apply")
    let conflict = #expect(throws: ApplyConflict.self) { try server.apply("flux", ["spec": ["suspend": false]]) }
    #expect(conflict?.conflicts.map(\.manager) == ["before-first-apply"])
    try server.apply("flux", ["spec": ["suspend": true]])
    #expect(server.fields("before-first-apply", .update) == ["f:spec": [".": [:], "f:suspend": [:], "f:timeout": [:]]])
  }

  @Test("S4: from kubectl apply to kubectl apply --server-side") func migration() throws {
    let annotation = "kubectl.kubernetes.io/last-applied-configuration"
    let applied = Self.workflow(["metadata": ["annotations": [:]], "spec": ["suspend": true, "timeout": "1h"]])
    var server = Server()
    server.update(
      "kubectl-client-side-apply",
      ["metadata": ["annotations": [.init(annotation): .string(applied.text + "\n")]], "spec": ["suspend": true, "timeout": "1h"]])
    // Somebody else touched the one field; the other is still as kubectl applied it.
    server.update("kubectl-edit", ["spec": ["timeout": "9h"]])
    let conflict = #expect(throws: ApplyConflict.self) { try server.apply("kubectl", ["spec": ["suspend": false, "timeout": "2h"]]) }
    #expect(conflict?.conflicts.map(\.pathText) == [".spec.timeout"])
    try server.apply("kubectl", ["spec": ["suspend": false]])
    #expect(server.spec == ["suspend": false, "timeout": "9h"])
    let kept = try #require(server.object?["metadata"]?["annotations"]?[annotation]?.string)
    #expect(try JSONValue(parsing: kept)["spec"] == ["suspend": false] && kept.hasSuffix("}\n"))
    let (object, managed) = (server.object, server.managed)
    try server.apply("kubectl", ["spec": ["suspend": false]])
    #expect(server.object == object && server.managed == managed)

    // kubectl merges the managers by a JSON patch of the account.
    let own = ManagedFields(managed.entries.filter { $0.manager == "kubectl" })
    let patch: JSONValue = [["op": "replace", "path": "/metadata/managedFields", "value": try #require(own.json)]]
    var live = try #require(object)
    live["metadata"]?["managedFields"] = managed.json
    let patched = try JSONPatch(json: patch).apply(to: live)
    #expect(ManagedFields.afterRequest(patched["metadata"]?["managedFields"], live: managed) == own)
  }

  @Test("A client may reset the account, and cannot break it") func reset() throws {
    var server = Server()
    try server.apply("a", ["spec": ["suspend": true]])
    let managed = server.managed
    #expect(ManagedFields.afterRequest([[:]], live: managed).isEmpty && ManagedFields.afterRequest([], live: managed).isEmpty)
    for broken: JSONValue? in [nil, .null, 1, [1], [["manager": "x"]], [["operation": "Apply", "apiVersion": "v1"]]] {
      #expect(ManagedFields.afterRequest(broken, live: managed) == managed)
    }
  }

  @Test(
    "The texts for what cannot be read",
    arguments: [
      (#"[{"operation":"Zork"}]"#, "operation must be `Apply` or `Update`"), (#"[{"operation":"Apply"}]"#, "apiVersion must not be empty"),
      (#"[{"operation":"Apply","apiVersion":"v1"}]"#, "missing fieldsType in managed fields entry 0"),
      (#"[{"operation":"Apply","apiVersion":"v1","fieldsType":"V2"}]"#, "invalid fieldsType \"V2\" in managed fields entry 0"),
    ])
  func unreadable(text: String, message: String) throws {
    let json = try JSONValue(parsing: text)
    let failure = #expect(throws: ManagedFields.Failure.self) { try ManagedFields(json: json) }
    #expect(failure?.message == message)
  }

  @Test("More entries than any object has are not read") func manyEntries() {
    func entries(_ count: Int) -> JSONValue {
      .array((0..<count).map { ["manager": .string("m\($0)"), "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1"] })
    }
    #expect(throws: Never.self) { try ManagedFields(json: entries(1_000)) }
    #expect(throws: ManagedFields.Failure.self) { try ManagedFields(json: entries(1_001)) }
  }

  @Test("Updates of many managers are folded into one entry, the oldest first") func folding() throws {
    var server = Server()
    try server.apply("a", ["spec": ["suspend": true]])
    for number in 0..<14 { server.update("m\(number)", ["metadata": ["labels": .object(["l\(number)": "1"])]]) }
    let updates = server.managed.entries.filter { $0.operation == .update }
    #expect(updates.map(\.manager) == ["ancient-changes"] + (5..<14).map { "m\($0)" })
    #expect(updates.first?.fields.count == 6, "five labels, and the labels themselves, which the first one made")
    #expect(server.managed.entries.first?.manager == "a")
  }

  @Test("Two elements with one key cannot be applied") func defects() {
    let twice = Self.workflow(["spec": ["steps": [["name": "s"], ["name": "s"]]]])
    #expect(
      Self.fields.defect(of: twice)
        == "failed to create typed patch object (default/a; workflow.example.com/v1alpha1, Kind=Workflow): "
        + ".spec.steps: duplicate entries for key [name=\"s\"]")
    #expect(
      Self.fields.defect(of: Self.workflow(["spec": ["steps": [["image": "s"]]]]))?.contains("omits all key fields [\"name\"]") == true)
    #expect(Self.fields.defect(of: Self.workflow(["metadata": ["finalizers": ["a", "a"]]]))?.hasSuffix("[=\"a\"]") == true)
    #expect(Self.fields.defect(of: Self.workflow(["spec": ["steps": [["name": "s"]]]])) == nil)
  }

  @Test("Entries of a version that is not served are forgotten") func otherVersions() throws {
    var server = Server()
    try server.apply("a", ["spec": ["suspend": true]])
    server.managed = ManagedFields(
      server.managed.entries + [
        .init(manager: "old", operation: .update, apiVersion: "workflow.example.com/v0", time: nil, fields: FieldSet([[.field("spec")]]))
      ])
    server.update("x", ["spec": ["timeout": "1h"]])
    #expect(server.managed.entries.map(\.manager) == ["a", "x"])
  }
}
