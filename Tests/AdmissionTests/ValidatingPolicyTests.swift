import JSON
import KubeClient
import KubeWire
import Testing
import Translation

@testable import Admission

@Suite struct ValidatingPolicyTests {
  /// One policy and one binding about one write.
  private func validate(
    _ spec: JSONValue, binding more: JSONValue = [:], _ attributes: AdmissionAttributes = aWrite(), cluster: FakeCluster = FakeCluster()
  ) async throws -> StatusError? {
    cluster.put("\(admission)/validatingadmissionpolicies", policy("limits", spec))
    cluster.put("\(admission)/validatingadmissionpolicybindings", binding("limits-all", policy: "limits", more))
    var found: StatusError?
    try await withChain(cluster) { chain in found = await chain.validating(attributes) }
    return found
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var expression: String
    /// nil for admitted; else the end of the refusal.
    var denied: String?
    var validation: JSONValue = [:]
    var spec: JSONValue = [:]
    var write: @Sendable () -> AdmissionAttributes = { aWrite() }
    var testDescription: String { expression + spec.text }
  }

  static let cases: [Case] = [
    Case(expression: "object.spec.templateRef.name == 'nightly'", denied: nil),
    Case(expression: "object.spec.templateRef.name == 'x'", denied: "failed expression: object.spec.templateRef.name == 'x'"),
    Case(expression: "false", denied: "no", validation: ["message": " no "]),
    Case(
      expression: "false", denied: "build is not allowed in team",
      validation: ["message": "m", "messageExpression": "object.metadata.name + ' is not allowed in ' + request.namespace"]),
    Case(expression: "false", denied: "m", validation: ["message": "m", "messageExpression": "'a\\nb'"]),
    Case(expression: "false", denied: "m", validation: ["message": "m", "messageExpression": "object.nope"]),
    Case(expression: "false", denied: "failed expression: false", validation: ["messageExpression": "'  '"]),
    // A message may not ask the cluster.
    Case(
      expression: "false", denied: "m",
      validation: ["message": "m", "messageExpression": "authorizer.requestResource.check('get').allowed() ? 'a' : 'b'"]),
    Case(expression: "object.nope == 1", denied: "expression 'object.nope == 1' resulted in error: no such key: nope"),
    Case(expression: "object.nope == 1", denied: nil, spec: ["failurePolicy": "Ignore"]),
    Case(
      expression: "objekt.x",
      denied: "compilation error: compilation failed: line 1, column 1: undeclared reference to 'objekt' (did you mean 'object'?)"),
    Case(expression: "objekt.x", denied: nil, spec: ["failurePolicy": "Ignore"]),
    Case(expression: "request.operation == 'CREATE' && oldObject == null && request.resource.resource == 'workflows'", denied: nil),
    Case(
      expression: "request.kind.kind == 'Workflow' && request.userInfo.username == 'jane' && 'dev' in request.userInfo.groups", denied: nil),
    Case(expression: "request.userInfo.extra['scopes'] == ['a'] && request.dryRun == false", denied: nil),
    Case(expression: "has(request.subResource)", denied: "failed expression: has(request.subResource)"),
    Case(expression: "request.subResource == 'status'", denied: nil, write: { aWrite(.update, subresource: "status") }),
    Case(expression: "object == null && oldObject.metadata.name == 'build'", denied: nil, write: { aWrite(.delete) }),
    Case(expression: "namespaceObject.metadata.labels['env'] == 'prod' && namespaceObject.status.phase == 'Active'", denied: nil),
    Case(expression: "namespaceObject.metadata.labels['env'] == 'test'", denied: "'test'"),
    Case(
      expression: "variables.image in ['a', 'b']", denied: nil,
      spec: ["variables": [["name": "image", "expression": "object.spec.steps[0].image"]]],
      write: { aWrite(spec: ["steps": [["name": "s", "image": "a"]]]) }),
    Case(
      expression: "variables.sum == 3", denied: nil,
      spec: ["variables": [["name": "one", "expression": "1"], ["name": "sum", "expression": "variables.one + 2"]]]),
    Case(
      expression: "!has(object.spec.steps) || variables.first.startsWith('registry/')", denied: nil,
      spec: ["variables": [["name": "first", "expression": "object.spec.steps[0].image"]]]),
    Case(
      expression: "variables.bad == 1",
      denied: "expression 'variables.bad == 1' resulted in error: composited variable \"bad\" fails to evaluate: "
        + "expression 'object.nope' resulted in error: no such key: nope",
      spec: ["variables": [["name": "bad", "expression": "object.nope"]]]),
    Case(
      expression: "has(variables.one) && variables['one'] == 1", denied: nil, spec: ["variables": [["name": "one", "expression": "1"]]]),
    Case(expression: "false", denied: nil, spec: ["matchConditions": [["name": "x", "expression": "request.userInfo.username == 'bob'"]]]),
    Case(
      expression: "false", denied: "no such key: nope", spec: ["matchConditions": [["name": "x", "expression": "object.nope == 1"]]]),
    Case(
      expression: "false", denied: nil,
      spec: ["failurePolicy": "Ignore", "matchConditions": [["name": "x", "expression": "object.nope == 1"]]]),
    Case(expression: "false", denied: nil, spec: ["matchConstraints": ["excludeResourceRules": [everyWrite]]]),
    Case(expression: "false", denied: nil, spec: ["matchConstraints": ["namespaceSelector": ["matchLabels": ["env": "test"]]]]),
    Case(expression: "false", denied: nil, spec: ["matchConstraints": ["objectSelector": ["matchLabels": ["a": "b"]]]]),
    Case(expression: "false", denied: nil, spec: ["matchConstraints": ["resourceRules": [["operations": ["*"], "resources": ["pods"]]]]]),
    Case(
      expression: "[1,2,3].all(a, [1,2,3].all(b, lists.range(1000).all(c, lists.range(1000).all(d, c + d >= 0))))",
      denied: "resulted in error: operation cancelled: actual cost limit exceeded"),
  ]

  @Test(arguments: cases) func expressions(_ test: Case) async throws {
    var spec = test.spec
    spec["validations"] = .array([(["expression": .string(test.expression)] as JSONValue).merging(patch: test.validation)])
    let refused = try await validate(spec, test.write())
    if let denied = test.denied {
      let message = refused?.status.message ?? "admitted"
      #expect(
        message.hasPrefix(
          #"workflows.workflow.example.com "build" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'limits-all' denied request: "#
        ),
        "\(message)")
      #expect(message.hasSuffix(denied), "\(message)")
      #expect(refused?.code == 422 && refused?.status.reason == "Invalid" && refused?.status.details?.kind == "workflows")
    } else {
      #expect(refused == nil, "\(refused?.status.message ?? "")")
    }
  }

  @Test(arguments: [("Forbidden", 403), ("Unauthorized", 401), ("RequestEntityTooLarge", 413), ("Invalid", 422)])
  func reasons(_ reason: String, _ code: Int) async throws {
    let refused = try await validate(["validations": [["expression": "false", "message": "m", "reason": .string(reason)]]])
    #expect(refused?.code == code && refused?.status.reason == reason)
    #expect(
      refused?.status.details?.causes.map(\.message)
        == ["ValidatingAdmissionPolicy 'limits' with binding 'limits-all' denied request: m"])
  }

  @Test func warnAndAudit() async throws {
    let write = aWrite()
    let refused = try await validate(
      ["validations": [["expression": "true"], ["expression": "false", "message": "m"]]],
      binding: ["validationActions": ["Warn", "Audit"]],
      write)
    #expect(refused == nil)
    #expect(write.context.warnings == ["Validation failed for ValidatingAdmissionPolicy 'limits' with binding 'limits-all': m"])
    #expect(
      write.context.auditAnnotations["validation.policy.admission.k8s.io/validation_failure"]
        == #"[{"message":"m","policy":"limits","binding":"limits-all","expressionIndex":1,"validationActions":["Warn","Audit"]}]"#)
  }

  @Test func auditAnnotations() async throws {
    let write = aWrite()
    let spec: JSONValue = [
      "auditAnnotations": [
        ["key": "who", "valueExpression": "'by ' + request.userInfo.username"], ["key": "none", "valueExpression": "null"],
        ["key": "empty", "valueExpression": "' '"],
      ]
    ]
    #expect(try await validate(spec, write) == nil)
    #expect(write.context.auditAnnotations == ["limits/who": "by jane"])
    let failing: JSONValue = ["auditAnnotations": [["key": "x", "valueExpression": "object.nope"]]]
    #expect(try await validate(failing, binding: ["validationActions": ["Audit"]])?.code == 422)
    #expect(try await validate(failing.merging(patch: ["failurePolicy": "Ignore"])) == nil)
  }

  @Test func theAuthorizerAsksTheClusterOnce() async throws {
    let cluster = FakeCluster(allows: { $0["resourceAttributes"]?["verb"] == "approve" })
    let question = "authorizer.group('workflow.example.com').resource('workflows').namespace('team').name('build').check('%').allowed()"
    let approve = question.split(separator: "%").joined(separator: "approve")
    let other = question.split(separator: "%").joined(separator: "bypass")
    let spec: JSONValue = [
      "variables": [["name": "approved", "expression": .string(approve)]],
      "validations": [["expression": .string("variables.approved && !\(other)")], ["expression": "variables.approved"]],
    ]
    #expect(try await validate(spec, cluster: cluster) == nil)
    #expect(cluster.requests.filter { $0.hasPrefix("POST") }.count == 2)
    let review = try #require(cluster.reviews.first { $0["spec"]?["resourceAttributes"]?["verb"] == "approve" })
    #expect(review["kind"] == "SubjectAccessReview" && review["spec"]?["user"] == "jane" && review["spec"]?["groups"] == ["dev"])
    #expect(
      review["spec"]?["resourceAttributes"] == [
        "verb": "approve", "group": "workflow.example.com", "version": "*", "resource": "workflows", "namespace": "team", "name": "build",
      ])
  }

  @Test func serviceAccountsPathsAndFailures() async throws {
    let cluster = FakeCluster(allows: { $0["user"] == "system:serviceaccount:ci:bot" || $0["nonResourceAttributes"]?["path"] == "/x" })
    let expression =
      "authorizer.serviceAccount('ci', 'bot').path('/healthz').check('get').allowed() && authorizer.path('/x').check('get').allowed()"
    #expect(try await validate(["validations": [["expression": .string(expression)]]], cluster: cluster) == nil)

    let away = FakeCluster()
    away.fail("/apis/authorization.k8s.io/v1/subjectaccessreviews", .unreachable("no route to the cluster"))
    let asking: JSONValue = [
      "validations": [["expression": "authorizer.requestResource.check('get').errored()"]]
    ]
    #expect(try await validate(asking, cluster: away) == nil)
    let refusing: JSONValue = ["validations": [["expression": "authorizer.requestResource.check('get').allowed()", "message": "m"]]]
    #expect(try await validate(refusing, cluster: away)?.code == 422)
  }

  // MARK: Params

  private static func cluster() -> FakeCluster {
    let cluster = FakeCluster()
    cluster.put("/api", ["metadata": ["name": "v1"], "resources": [["name": "configmaps", "kind": "ConfigMap", "namespaced": true]]])
    cluster.put(
      "/apis/rules.example.com",
      [
        "metadata": ["name": "v1"],
        "resources": [["name": "limits/status", "kind": "Limit"], ["name": "limits", "kind": "Limit", "namespaced": false]],
      ])
    for (name, most) in [("small", "1"), ("large", "9")] {
      cluster.put(
        "/api/v1/namespaces/team/configmaps",
        ["metadata": ["name": .string(name), "namespace": "team", "labels": ["size": .string(name)]], "data": ["most": .string(most)]])
    }
    cluster.put("/apis/rules.example.com/v1/limits", ["metadata": ["name": "global"], "most": 9])
    return cluster
  }

  struct Params: Sendable, CustomTestStringConvertible {
    var reference: JSONValue?
    var denied: String?
    var kind: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap"]
    var expression = "size(object.spec.steps) <= int(params.data.most)"
    var testDescription: String { reference?.text ?? "none" }
  }

  @Test(arguments: [
    Params(reference: ["name": "large", "parameterNotFoundAction": "Deny"], denied: nil),
    Params(
      reference: ["name": "small", "parameterNotFoundAction": "Deny"],
      denied: "failed expression: size(object.spec.steps) <= int(params.data.most)"),
    Params(reference: ["name": "large", "namespace": "team"], denied: nil),
    Params(reference: ["name": "none", "parameterNotFoundAction": "Allow"], denied: nil),
    Params(
      reference: ["name": "none", "parameterNotFoundAction": "Deny"],
      denied: "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"),
    Params(
      reference: ["selector": [:], "parameterNotFoundAction": "Deny"],
      denied: "failed expression: size(object.spec.steps) <= int(params.data.most)"),
    Params(reference: ["selector": ["matchLabels": ["size": "large"]], "parameterNotFoundAction": "Deny"], denied: nil),
    Params(reference: nil, denied: nil, expression: "params == null"),
    Params(
      reference: ["name": "global"], denied: nil, kind: ["apiVersion": "rules.example.com/v1", "kind": "Limit"],
      expression: "size(object.spec.steps) <= params.most && params.kind == 'Limit'"),
    Params(
      reference: ["name": "global", "namespace": "x"],
      denied: "failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`",
      kind: ["apiVersion": "rules.example.com/v1", "kind": "Limit"]),
    Params(
      reference: ["name": "x"], denied: "failed to find resource referenced by paramKind: 'no.example.com/v1, Kind=Nope'",
      kind: ["apiVersion": "no.example.com/v1", "kind": "Nope"]),
  ]) func params(_ test: Params) async throws {
    let refused = try await validate(
      ["paramKind": test.kind, "validations": [["expression": .string(test.expression)]]],
      binding: test.reference.map { ["paramRef": $0] } ?? [:],
      aWrite(spec: ["steps": [["name": "a", "image": "x"], ["name": "b", "image": "x"]]]), cluster: Self.cluster())
    if let denied = test.denied {
      #expect(refused?.status.message.hasSuffix(denied) == true, "\(refused?.status.message ?? "admitted")")
    } else {
      #expect(refused == nil, "\(refused?.status.message ?? "")")
    }
  }

  // MARK: Bindings and generations

  @Test func withoutBindingNothingHappens() async throws {
    let cluster = FakeCluster()
    cluster.put("\(admission)/validatingadmissionpolicies", policy("limits", ["validations": [["expression": "false"]]]))
    cluster.put("\(admission)/validatingadmissionpolicybindings", binding("other", policy: "no-such-policy"))
    try await withChain(cluster) { chain in #expect(await chain.validating(aWrite()) == nil) }
  }

  @Test func bindingsNarrow() async throws {
    let spec: JSONValue = ["validations": [["expression": "false"]]]
    let elsewhere: JSONValue = ["matchResources": ["namespaceSelector": ["matchLabels": ["env": "test"]]]]
    #expect(try await validate(spec, binding: elsewhere) == nil)
    #expect(try await validate(spec, binding: ["matchResources": ["namespaceSelector": ["matchLabels": ["env": "prod"]]]]) != nil)
  }

  @Test func aPolicyIsCompiledOncePerGeneration() async throws {
    let first = ValidatingPolicy(policy("a", generation: 3, ["validations": [["expression": "true"]]]))
    #expect(first.head.isCurrent(policy("a", generation: 3, [:])))
    #expect(!first.head.isCurrent(policy("a", generation: 4, [:])))
    #expect(!first.head.isCurrent(policy("b", generation: 3, [:])))
  }

  @Test func aChangeOfThePolicyCounts() async throws {
    let cluster = FakeCluster()
    cluster.put("\(admission)/validatingadmissionpolicies", policy("limits", ["validations": [["expression": "false"]]]))
    cluster.put("\(admission)/validatingadmissionpolicybindings", binding("b", policy: "limits"))
    try await withChain(cluster) { chain in
      #expect(await chain.validating(aWrite()) != nil)
      while cluster.watched < FakeCluster.collections.count { await Task.yield() }
      cluster.put("\(admission)/validatingadmissionpolicies", policy("limits", generation: 2, ["validations": [["expression": "true"]]]))
      while await chain.validating(aWrite()) != nil { await Task.yield() }
    }
  }
}
