import JSON
import KubeWire
import Testing
import Translation

@testable import Admission

@Suite struct MutatingPolicyTests {
  private func mutate(_ spec: JSONValue, _ attributes: AdmissionAttributes = aWrite(), hooks: FakeWebhooks = FakeWebhooks())
    async throws -> (object: JSONValue?, refusal: StatusError?)
  {
    let cluster = FakeCluster()
    cluster.put("\(admission)/mutatingadmissionpolicies", policy("defaults", spec))
    cluster.put("\(admission)/mutatingadmissionpolicybindings", binding("all", policy: "defaults", ["validationActions": nil]))
    if !hooks.isEmpty { cluster.put("\(admission)/mutatingwebhookconfigurations", configuration("c", webhook("one.example.com"))) }
    var object: JSONValue?
    var refused: StatusError?
    try await withChain(cluster, webhooks: hooks) { chain in refused = await refusal { object = try await chain.mutate(attributes) } }
    return (object, refused)
  }

  private static func apply(_ expression: String) -> JSONValue {
    ["mutations": [["patchType": "ApplyConfiguration", "applyConfiguration": ["expression": .string(expression)]]]]
  }

  private static func patch(_ expression: String) -> JSONValue {
    ["mutations": [["patchType": "JSONPatch", "jsonPatch": ["expression": .string(expression)]]]]
  }

  @Test func applyConfiguration() async throws {
    let (object, refused) = try await mutate(
      Self.apply("Object{metadata: Object.metadata{labels: {'team': request.userInfo.username}}, spec: Object.spec{timeout: '1h'}}"),
      aWrite(labels: ["kept": "yes"]))
    #expect(refused == nil, "\(refused?.status.message ?? "")")
    #expect(object?["metadata"]?["labels"] == ["kept": "yes", "team": "jane"])
    #expect(object?["spec"] == ["templateRef": ["name": "nightly"], "timeout": "1h"])
  }

  @Test func aKeyedListIsMergedByItsKey() async throws {
    let (object, refused) = try await mutate(
      Self.apply("Object{spec: Object.spec{steps: [Object.spec.steps{name: 'b', image: 'pinned'}]}}"),
      aWrite(spec: ["steps": [["name": "a", "image": "x"], ["name": "b", "image": "y"]]]))
    #expect(refused == nil, "\(refused?.status.message ?? "")")
    #expect(object?["spec"]?["steps"] == [["name": "a", "image": "x"], ["name": "b", "image": "pinned"]])
  }

  @Test(arguments: [
    (
      "Object{spec: Object.spec{steps: [Object.spec.steps{name: 'a', command: ['x']}]}}",
      "may not mutate atomic arrays, maps or structs: .spec.steps[0].command"
    ),
    ("Object{spec: Object.spec{nope: 1}}", ".spec.nope: field not declared in schema"),
    ("Object{spec: Object.spec{suspend: 'x'}}", "json: cannot unmarshal string into Go struct field Workflow.spec.suspend of type bool"),
    ("Objekt{}", "compilation error: compilation failed: line 1, column"),
    ("object.nope", "resulted in error: no such key: nope"),
  ]) func whatCannotBeApplied(_ expression: String, _ text: String) async throws {
    let (object, refused) = try await mutate(Self.apply(expression))
    #expect(object == nil && refused?.code == 403 && refused?.status.reason == "Invalid")
    #expect(refused?.status.message.hasPrefix("policy 'defaults' with binding 'all' denied request: ") == true)
    #expect(refused?.status.message.contains(text) == true, "\(refused?.status.message ?? "")")
    let (ignored, none) = try await mutate(Self.apply(expression).merging(patch: ["failurePolicy": "Ignore"]))
    #expect(none == nil && ignored == workflow("build"))
  }

  @Test func jsonPatch() async throws {
    let (object, refused) = try await mutate(
      Self.patch(
        """
        [JSONPatch{op: 'test', path: '/spec/templateRef/name', value: 'nightly'},
         JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b'), value: string(1 + 1)},
         JSONPatch{op: 'replace', path: '/spec/templateRef', value: Object.spec.templateRef{name: 'weekly'}}]
        """))
    #expect(refused == nil, "\(refused?.status.message ?? "")")
    #expect(object?["metadata"]?["labels"] == ["a/b": "2"] && object?["spec"]?["templateRef"]?["name"] == "weekly")
  }

  @Test func aPatchWhoseTestFailsChangesNothing() async throws {
    let (object, refused) = try await mutate(
      Self.patch("[JSONPatch{op: 'test', path: '/spec/templateRef/name', value: 'x'}, JSONPatch{op: 'remove', path: '/spec/templateRef'}]"))
    #expect(refused == nil && object == workflow("build"))
  }

  @Test func anUnknownFormIsRefusedNotSkipped() async throws {
    let (_, refused) = try await mutate(["mutations": [["patchType": "Magic"]]])
    #expect(
      refused?.status.message
        == #"policy 'defaults' with binding 'all' denied request: patch type "Magic" is not evaluated by this server"#)
    // A delete has nothing to be changed.
    #expect(try await mutate(["mutations": [["patchType": "Magic"]]], aWrite(.delete)).refusal == nil)
  }

  @Test func conditionsAndVariables() async throws {
    let spec = Self.apply("Object{metadata: Object.metadata{labels: {'by': variables.who}}}").merging(patch: [
      "variables": [["name": "who", "expression": "request.userInfo.username"]],
      "matchConditions": [["name": "unlabelled", "expression": "!has(object.metadata.labels.by)"]],
    ])
    #expect(try await mutate(spec).object?["metadata"]?["labels"] == ["by": "jane"])
    #expect(try await mutate(spec, aWrite(labels: ["by": "x"])).object?["metadata"]?["labels"] == ["by": "x"])
  }

  private static let secondFails: JSONValue = [
    "mutations": .array(
      ["{'first': 'y'}", "{'x': object.metadata.annotations['nope']}", "{'third': 'y'}"].map {
        apply("Object{metadata: Object.metadata{labels: \($0)}}")["mutations"]!.array![0]
      })
  ]

  @Test func aMutationThatFailsDropsNoOther() async throws {
    let (object, ignored) = try await mutate(Self.secondFails.merging(patch: ["failurePolicy": "Ignore"]))
    #expect(ignored == nil && object?["metadata"]?["labels"] == ["first": "y", "third": "y"])
    let (_, refused) = try await mutate(Self.secondFails)
    #expect(refused?.status.details?.causes.count == 1)
  }

  /// What the policy changed before and after the failure counts for who wants to see changes.
  @Test func aMutationThatFailsHidesNoChange() async throws {
    let spec = Self.secondFails.merging(patch: ["failurePolicy": "Ignore", "reinvocationPolicy": "IfNeeded"])
    let cluster = FakeCluster()
    let first = Self.apply(
      "Object{metadata: Object.metadata{labels: {'seen': has(object.metadata.labels.third) ? 'yes' : 'no'}}}")
    cluster.put("\(admission)/mutatingadmissionpolicies", policy("a", first.merging(patch: ["reinvocationPolicy": "IfNeeded"])))
    cluster.put("\(admission)/mutatingadmissionpolicies", policy("b", spec))
    for name in ["a", "b"] {
      cluster.put("\(admission)/mutatingadmissionpolicybindings", binding(name, policy: name, ["validationActions": nil]))
    }
    try await withChain(cluster) { chain in
      let object = try await chain.mutate(aWrite())
      #expect(object?["metadata"]?["labels"] == ["seen": "yes", "first": "y", "third": "y"])
    }
  }

  /// Policies come before webhooks, and again after them where they want to.
  @Test func reinvocationAfterWebhooks() async throws {
    let hooks = FakeWebhooks([
      "/one": { _ in .patch([["op": "add", "path": "/metadata/labels/hook", "value": "1"]]) }
    ])
    let expression = "Object{metadata: Object.metadata{labels: {'seen': has(object.metadata.labels.hook) ? 'yes' : 'no'}}}"
    let spec = Self.apply(expression)
    let (again, _) = try await mutate(spec.merging(patch: ["reinvocationPolicy": "IfNeeded"]), hooks: hooks)
    #expect(again?["metadata"]?["labels"] == ["seen": "yes", "hook": "1"] && hooks.paths == ["/one"])
    let (once, _) = try await mutate(spec.merging(patch: ["reinvocationPolicy": "Never"]), hooks: hooks)
    #expect(once?["metadata"]?["labels"] == ["seen": "no", "hook": "1"])
  }
}
