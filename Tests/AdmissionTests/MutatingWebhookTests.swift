import JSON
import KubeWire
import Testing
import Translation

@testable import Admission

@Suite struct MutatingWebhookTests {
  private func mutate(
    _ configurations: [JSONValue], _ hooks: FakeWebhooks, _ attributes: AdmissionAttributes = aWrite()
  ) async throws -> (object: JSONValue?, refusal: StatusError?) {
    let cluster = FakeCluster()
    for configuration in configurations { cluster.put("\(admission)/mutatingwebhookconfigurations", configuration) }
    var object: JSONValue?
    var refused: StatusError?
    try await withChain(cluster, webhooks: hooks) { chain in refused = await refusal { object = try await chain.mutate(attributes) } }
    return (object, refused)
  }

  private static func add(_ path: String, _ value: JSONValue) -> JSONValue {
    [["op": "add", "path": .string(path), "value": value]]
  }

  @Test func nobodyAskedNothingChanged() async throws {
    let (object, refused) = try await mutate([], FakeWebhooks())
    #expect(refused == nil && object == workflow("build"))
  }

  @Test func inOrderEachSeesWhatTheOthersDid() async throws {
    let hooks = FakeWebhooks([
      "/one": { _ in .patch(Self.add("/metadata/labels/one", "1")) },
      "/two": { request in .patch(Self.add("/metadata/labels/two", request["object"]?["metadata"]?["labels"]?["one"] ?? "missing")) },
    ])
    let write = aWrite()
    let (object, refused) = try await mutate(
      [configuration("z", webhook("two.example.com")), configuration("a", webhook("one.example.com"))], hooks, write)
    #expect(refused == nil && hooks.paths == ["/one", "/two"])
    #expect(object?["metadata"]?["labels"] == ["one": "1", "two": "1"])
    let notes = write.context.auditAnnotations
    #expect(
      notes["mutation.webhook.admission.k8s.io/round_0_index_0"]
        == #"{"configuration":"a","webhook":"one.example.com","mutated":true}"#)
    #expect(notes.count == 2)
  }

  @Test func whatIsNotInTheSchemaIsDropped() async throws {
    let hooks = FakeWebhooks(["/one": { _ in .patch(Self.add("/spec/nonsense", ["a": 1])) }])
    let write = aWrite()
    let (object, refused) = try await mutate([configuration("a", webhook("one.example.com"))], hooks, write)
    #expect(refused == nil && object?["spec"]?["nonsense"] == nil && object?["spec"]?["templateRef"] != nil)
    #expect(
      write.context.auditAnnotations["mutation.webhook.admission.k8s.io/round_0_index_0"]
        == #"{"configuration":"a","webhook":"one.example.com","mutated":false}"#)
  }

  @Test(arguments: [
    (FakeWebhooks.Answer.patch(add("/spec/suspend", "yes")), "json: cannot unmarshal string into Go struct field Workflow.spec.suspend"),
    (.patch(add("/nope/x", 1)), "doc is missing path"),
    (.response(["patch": "W10="]), "webhook returned response.patch but not response.patchType"),
    (.response(["patchType": "JSONPatch"]), "webhook returned response.patchType but not response.patch"),
    (.response(["patchType": "MergePatch", "patch": "W3siYSI6MX1d"]), #"unsupported patch type "MergePatch""#),
    (.response(["patchType": "JSONPatch", "patch": "***"]), "received undecodable patch in webhook response"),
    (.response(["patchType": "JSONPatch", "patch": "eyJhIjoxfQ=="]), "received undecodable patch in webhook response"),
  ]) func patchesThatCannotBe(_ answer: FakeWebhooks.Answer, _ text: String) async throws {
    let (object, refused) = try await mutate([configuration("a", webhook("one.example.com"))], FakeWebhooks(["/one": { _ in answer }]))
    #expect(object == nil && refused?.code == 500 && refused?.status.reason == "InternalError")
    #expect(refused?.status.message.contains(text) == true, "\(refused?.status.message ?? "")")
  }

  @Test func emptyPatchesChangeNothing() async throws {
    let (object, refused) = try await mutate(
      [configuration("a", webhook("one.example.com"))], FakeWebhooks(["/one": { _ in .patch([]) }]))
    #expect(refused == nil && object == workflow("build"))
  }

  @Test func aDeleteCannotBeChanged() async throws {
    let (_, refused) = try await mutate(
      [configuration("a", webhook("one.example.com"))], FakeWebhooks(["/one": { _ in .patch(Self.add("/metadata/labels/a", "b")) }]),
      aWrite(.delete))
    #expect(
      refused?.status.message
        == #"Internal error occurred: admission webhook "one.example.com" attempted to modify the object, which is not supported for this operation"#
    )
  }

  @Test func theFirstRefusalEndsIt() async throws {
    let hooks = FakeWebhooks(["/one": { _ in .response(["allowed": false]) }, "/two": { _ in .allow }])
    let (_, refused) = try await mutate([configuration("a", webhook("one.example.com"), webhook("two.example.com"))], hooks)
    #expect(refused?.code == 400 && hooks.paths == ["/one"])
  }

  @Test func aFailureThatIsIgnoredGoesOn() async throws {
    let hooks = FakeWebhooks(["/two": { _ in .patch(Self.add("/metadata/labels/two", "2")) }])
    let write = aWrite()
    let (object, refused) = try await mutate(
      [configuration("a", webhook("one.example.com", ["failurePolicy": "Ignore"]), webhook("two.example.com"))], hooks, write)
    #expect(refused == nil && object?["metadata"]?["labels"]?["two"] == "2")
    #expect(write.context.auditAnnotations["failed-open.mutation.webhook.admission.k8s.io/round_0_index_0"] == "one.example.com")
  }

  /// IfNeeded: asked again when somebody after it changed the object, once, and nobody else is.
  @Test func reinvocation() async throws {
    let hooks = FakeWebhooks([
      "/one": { request in
        request["object"]?["metadata"]?["labels"]?["two"] == nil ? .allow : .patch(Self.add("/metadata/labels/seen", "yes"))
      },
      "/two": { _ in .patch(Self.add("/metadata/labels/two", "2")) },
    ])
    let needed = webhook("one.example.com", ["reinvocationPolicy": "IfNeeded"])
    let (object, _) = try await mutate([configuration("a", needed, webhook("two.example.com"))], hooks)
    #expect(hooks.paths == ["/one", "/two", "/one"] && object?["metadata"]?["labels"]?["seen"] == "yes")

    let never = FakeWebhooks(["/one": { _ in .allow }, "/two": { _ in .patch(Self.add("/metadata/labels/two", "2")) }])
    _ = try await mutate([configuration("a", webhook("one.example.com"), webhook("two.example.com"))], never)
    #expect(never.paths == ["/one", "/two"])

    let unchanged = FakeWebhooks(["/one": { _ in .allow }, "/two": { _ in .allow }])
    _ = try await mutate([configuration("a", needed, webhook("two.example.com"))], unchanged)
    #expect(unchanged.paths == ["/one", "/two"])
  }
}
