import JSON
import KubeWire
import Synchronization
import Testing
import Translation

@testable import Admission

@Suite struct ValidatingWebhookTests {
  private func validate(
    _ hook: JSONValue, _ answer: @escaping @Sendable (JSONValue) -> FakeWebhooks.Answer, _ attributes: AdmissionAttributes = aWrite()
  ) async throws -> (refusal: StatusError?, hooks: FakeWebhooks) {
    let cluster = FakeCluster()
    cluster.put("\(admission)/validatingwebhookconfigurations", configuration("c", hook))
    let hooks = FakeWebhooks(["/check": answer])
    var found: StatusError?
    try await withChain(cluster, webhooks: hooks) { chain in found = await chain.validating(attributes) }
    return (found, hooks)
  }

  @Test func theReviewHoldsEverything() async throws {
    let (refused, hooks) = try await validate(webhook("check.example.com"), { _ in .allow })
    #expect(refused == nil)
    let call = try #require(hooks.calls.first)
    #expect(call.url == "https://hooks.test/check?timeout=10s" && call.timeout == .seconds(10))
    let request = call.request
    #expect(request["uid"]?.string?.utf8.count == 36)
    #expect(request["kind"] == ["group": "workflow.example.com", "version": "v1alpha1", "kind": "Workflow"])
    #expect(request["resource"] == ["group": "workflow.example.com", "version": "v1alpha1", "resource": "workflows"])
    #expect(request["requestKind"] == request["kind"] && request["requestResource"] == request["resource"])
    #expect(request["subResource"] == nil && request["name"] == "build" && request["namespace"] == "team")
    #expect(request["operation"] == "CREATE" && request["dryRun"] == false)
    #expect(request["userInfo"] == ["username": "jane", "uid": "u1", "groups": ["dev"], "extra": ["scopes": ["a"]]])
    #expect(request["object"]?["spec"]?["templateRef"]?["name"] == "nightly" && request["oldObject"]?.isNull == true)
    #expect(request["options"]?["kind"] == "CreateOptions")
  }

  @Test func aDeleteHasTheOldObjectOnly() async throws {
    let (_, hooks) = try await validate(webhook("check.example.com"), { _ in .allow }, aWrite(.delete))
    let request = try #require(hooks.calls.first?.request)
    #expect(request["object"]?.isNull == true && request["oldObject"]?["metadata"]?["name"] == "build")
  }

  @Test func whatTheClientLeftOutIsFilledIn() async throws {
    let (_, hooks) = try await validate(
      webhook("check.example.com"), { _ in .allow }, aWrite(object: ["metadata": ["name": "build"], "spec": [:]]))
    let object = try #require(hooks.calls.first?.request["object"])
    #expect(object["kind"] == "Workflow" && object["apiVersion"] == "workflow.example.com/v1alpha1")
    #expect(object["metadata"]?["namespace"] == "team")
  }

  @Test func aServiceIsReachedByItsName() async throws {
    let service: JSONValue = ["clientConfig": ["url": nil, "service": ["name": "kyverno", "namespace": "kyverno", "path": "/check"]]]
    let (_, hooks) = try await validate(webhook("check.example.com", service), { _ in .allow })
    #expect(hooks.calls.first?.url == "https://kyverno.kyverno.svc:443/check?timeout=10s")
    let (_, other) = try await validate(
      webhook("check.example.com", service.merging(patch: ["clientConfig": ["service": ["port": 9443]], "timeoutSeconds": 3])),
      { _ in .allow })
    #expect(other.calls.first?.url == "https://kyverno.kyverno.svc:9443/check?timeout=3s")
  }

  @Test(
    arguments: [
      (["allowed": false], 400, "", #"admission webhook "check.example.com" denied the request without explanation"#),
      (["allowed": false, "status": ["message": "no"]], 400, "", #"admission webhook "check.example.com" denied the request: no"#),
      (
        ["allowed": false, "status": ["reason": "Forbidden", "code": 403]], 403, "Forbidden",
        #"admission webhook "check.example.com" denied the request: Forbidden"#
      ),
      (
        ["allowed": false, "status": ["reason": "Conflict", "code": 409, "message": "later"]], 409, "Conflict",
        #"admission webhook "check.example.com" denied the request: later"#
      ),
      (
        ["allowed": false, "status": ["code": 200, "message": "x"]], 400, "",
        #"admission webhook "check.example.com" denied the request: x"#
      ),
    ] as [(JSONValue, Int, String, String)])
  func denials(_ response: JSONValue, _ code: Int, _ reason: String, _ message: String) async throws {
    let (refused, _) = try await validate(webhook("check.example.com"), { _ in .response(response) })
    #expect(refused?.code == code && refused?.status.reason == reason && refused?.status.message == message)
  }

  struct Failure: Sendable, CustomTestStringConvertible {
    var answer: FakeWebhooks.Answer
    var text: String
    var testDescription: String { text }
  }

  static let post = #"failed to call webhook: Post "https://hooks.test/check?timeout=10s": "#
  static let badAnswers: [Failure] = [
    Failure(answer: .unreachable("connection refused"), text: "\(Self.post)connection refused"),
    Failure(answer: .unreachable("context deadline exceeded"), text: "\(Self.post)context deadline exceeded"),
    Failure(answer: .raw(code: 404, body: ""), text: "failed to call webhook: the server could not find the requested resource"),
    Failure(
      answer: .raw(code: 500, body: "oops\n"),
      text: #"failed to call webhook: an error on the server ("oops") has prevented the request from succeeding"#),
    Failure(
      answer: .raw(code: 302, body: ""),
      text: "failed to call webhook: the server responded with the status code 302 but did not return more information"),
    Failure(answer: .raw(code: 200, body: "{}"), text: "received invalid webhook response: webhook response was absent"),
    Failure(
      answer: .review(#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","response":{"uid":"UID","allowed":true}}"#),
      text: "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, "
        + "got admission.k8s.io/v1beta1, Kind=AdmissionReview"),
    Failure(
      answer: .response(["patch": "W10="]), text: "received invalid webhook response: validating webhook may not return response.patch"),
    Failure(
      answer: .response(["patchType": "JSONPatch"]),
      text: "received invalid webhook response: validating webhook may not return response.patchType"),
  ]

  @Test(arguments: badAnswers) func failures(_ failure: Failure) async throws {
    let (refused, _) = try await validate(webhook("check.example.com"), { _ in failure.answer })
    #expect(refused?.code == 500 && refused?.status.reason == "InternalError" && refused?.retryAfter == nil)
    #expect(refused?.status.message == #"Internal error occurred: failed calling webhook "check.example.com": "# + failure.text)

    let write = aWrite()
    let (ignored, _) = try await validate(webhook("check.example.com", ["failurePolicy": "Ignore"]), { _ in failure.answer }, write)
    #expect(ignored == nil)
    #expect(write.context.auditAnnotations == ["failed-open.validating.webhook.admission.k8s.io/round_0_index_0": "check.example.com"])
  }

  @Test func aForeignUIDIsNoAnswer() async throws {
    let review = #"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"x","allowed":true}}"#
    let (refused, _) = try await validate(webhook("check.example.com"), { _ in .review(review) })
    #expect(refused?.status.message.contains(#"expected response.uid=""#) == true)
    #expect(refused?.status.message.hasSuffix(#"", got "x""#) == true)
  }

  @Test func versionsOfReviews() async throws {
    // What v1beta1 webhooks answer has no uid to be checked.
    let old = #"{"response":{"allowed":false,"status":{"message":"old"}}}"#
    let (beta, hooks) = try await validate(webhook("check.example.com", ["admissionReviewVersions": ["v1beta1"]]), { _ in .review(old) })
    #expect(beta?.status.message == #"admission webhook "check.example.com" denied the request: old"#)
    #expect(hooks.calls.count == 1)
    let (none, unasked) = try await validate(webhook("check.example.com", ["admissionReviewVersions": ["v2"]]), { _ in .allow })
    #expect(none?.status.message.hasSuffix("webhook does not accept known AdmissionReview versions (v1, v1beta1)") == true)
    #expect(unasked.calls.isEmpty)
  }

  @Test(arguments: [("None", true), ("NoneOnDryRun", true), ("Some", false), ("Unknown", false)])
  func dryRun(_ sideEffects: String, _ isAsked: Bool) async throws {
    let hook = webhook("check.example.com", ["sideEffects": .string(sideEffects)])
    let (refused, hooks) = try await validate(hook, { _ in .allow }, aWrite(dryRun: true))
    #expect(hooks.calls.count == (isAsked ? 1 : 0))
    #expect(refused?.status.message == (isAsked ? nil : #"admission webhook "check.example.com" does not support dry run"#))
    #expect(refused?.code == (isAsked ? nil : 400))
    if isAsked { #expect(hooks.calls[0].request["dryRun"] == true) }
  }

  @Test func theDeadlineOfTheRequestCounts() async throws {
    let (_, hooks) = try await validate(webhook("check.example.com", ["timeoutSeconds": 30]), { _ in .allow }, aWrite(seconds: 4))
    #expect(hooks.calls.first?.timeout == .seconds(4) && hooks.calls.first?.url.hasSuffix("?timeout=4s") == true)
    let (late, none) = try await validate(webhook("check.example.com"), { _ in .allow }, aWrite(seconds: -1))
    #expect(late?.code == 504 && none.calls.isEmpty)
  }

  /// Whoever is waiting has gone: that no answer came in time is nothing that a failure policy could ignore.
  @Test func aFailureIsNotIgnoredBeyondTheDeadline() async throws {
    final class Clock: TimeSource {
      let time = Mutex(Timestamp(seconds: 1_700_000_000))
      var now: Timestamp { time.withLock { $0 } }
      func sleep(until: Timestamp) async throws { try await Task.sleep(for: .seconds(3600)) }
    }
    let clock = Clock()
    let cluster = FakeCluster()
    cluster.put(
      "\(admission)/validatingwebhookconfigurations", configuration("c", webhook("check.example.com", ["failurePolicy": "Ignore"])))
    let hooks = FakeWebhooks([
      "/check": { _ in
        clock.time.withLock { $0 = $0 + .seconds(2) }
        return .unreachable("context deadline exceeded")
      }
    ])
    try await withChain(cluster, webhooks: hooks, clock: clock) { chain in
      #expect(await chain.validating(aWrite(seconds: 10)) == nil)
      clock.time.withLock { $0 = Timestamp(seconds: 1_700_000_000) }
      let late = await chain.validating(aWrite(seconds: 2))
      #expect(late?.code == 504 && late?.status.message.hasSuffix("request did not complete within requested timeout") == true)
    }
  }

  @Test func warningsAndAnnotationsAlsoOfRefusals() async throws {
    let write = aWrite()
    let response: JSONValue = [
      "allowed": false, "warnings": ["mind the gap", "bad\u{7}one", ""], "auditAnnotations": ["why": "because", "not a key": "x"],
    ]
    let (refused, _) = try await validate(webhook("check.example.com"), { _ in .response(response) }, write)
    #expect(refused != nil)
    #expect(write.context.warnings == ["mind the gap"])
    #expect(write.context.auditAnnotations == ["check.example.com/why": "because"])
  }

  @Test(
    arguments: [
      ("request.operation == 'CREATE' && object.spec.templateRef.name == 'nightly'", true), ("request.userInfo.username != 'jane'", false),
      ("!('dev' in request.userInfo.groups)", false), ("has(oldObject.metadata)", nil), ("oldObject == null", true),
      ("authorizer.group('workflow.example.com').resource('workflows').namespace('team').check('breakglass').allowed()", true),
      ("authorizer.requestResource.check('approve').allowed()", true), ("no.such.name", nil),
    ] as [(String, Bool?)]) func matchConditions(_ expression: String, _ asks: Bool?) async throws
  {
    let conditions: JSONValue = ["matchConditions": [["name": "c", "expression": .string(expression)]]]
    let (refused, hooks) = try await validate(webhook("check.example.com", conditions), { _ in .allow })
    #expect(hooks.calls.count == (asks == true ? 1 : 0))
    #expect((refused != nil) == (asks == nil))
    if asks == nil {
      #expect(refused?.code == 403)
      #expect(refused?.status.message.hasPrefix(#"workflows.workflow.example.com "build" is forbidden: "#) == true)
      let (ignored, none) = try await validate(
        webhook("check.example.com", conditions.merging(patch: ["failurePolicy": "Ignore"])), { _ in .allow })
      #expect(ignored == nil && none.calls.isEmpty)
    }
  }

  /// One false condition decides, whatever the others say.
  @Test func aFalseConditionBeatsAFailingOne() async throws {
    let conditions: JSONValue = [
      "matchConditions": [["name": "a", "expression": "object.nope == 1"], ["name": "b", "expression": "false"]]
    ]
    let (refused, hooks) = try await validate(webhook("check.example.com", conditions), { _ in .allow })
    #expect(refused == nil && hooks.calls.isEmpty)
  }

  @Test func allAreAskedAndTheFirstRefusalCounts() async throws {
    let cluster = FakeCluster()
    cluster.put("\(admission)/validatingwebhookconfigurations", configuration("b", webhook("two.example.com")))
    cluster.put(
      "\(admission)/validatingwebhookconfigurations", configuration("a", webhook("one.example.com"), webhook("three.example.com")))
    let hooks = FakeWebhooks([
      "/one": { _ in .allow }, "/two": { _ in .response(["allowed": false, "status": ["message": "2"]]) },
      "/three": { _ in .response(["allowed": false, "status": ["message": "3"]]) },
    ])
    try await withChain(cluster, webhooks: hooks) { chain in
      let refused = await chain.validating(aWrite())
      #expect(refused?.status.message == #"admission webhook "three.example.com" denied the request: 3"#)
      #expect(Set(hooks.paths) == ["/one", "/two", "/three"])
    }
  }
}
