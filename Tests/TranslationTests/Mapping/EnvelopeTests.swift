import AdapterKit
import JSON
import Testing

@testable import Translation

@Suite struct EnvelopeTests {
  private var envelope: Envelope {
    Envelope(
      apiVersion: "workflow.example.com/v1alpha1", namespace: "default", name: "a", uid: "u",
      submittedAt: Timestamp(microseconds: 1_700_000_000_123_456),
      labels: ["team": "build"], annotations: ["note": "x"], ownerReferences: nil, requestedBy: "jane", spec: ["steps": [["name": "s"]]])
  }

  @Test func survivesTheEngine() throws {
    var signed = envelope
    signed.sign(backend: "ci", key: [1, 2, 3])
    let text = try JSONValue(parsing: signed.json.text)
    #expect(Envelope(text) == signed)
  }

  @Test func isNotTakenFromWhatIsNotOurs() {
    for json: JSONValue in [[:], "text", ["v": 2], ["v": 1, "name": "a"], nil] { #expect(Envelope(json) == nil) }
  }

  @Test func aSignatureHoldsForOneRunOnly() {
    var signed = envelope
    signed.sign(backend: "ci", key: [1])
    #expect(signed.isSigned(backend: "ci", byOneOf: [[9], [1]]))
    #expect(!signed.isSigned(backend: "ci", byOneOf: [[9]]))
    #expect(!signed.isSigned(backend: "other", byOneOf: [[1]]))
    for change: (inout Envelope) -> Void in [
      { $0.namespace = "other" }, { $0.name = "b" }, { $0.uid = "v" }, { $0.spec["timeout"] = "1m" },
      { $0.submittedAt = Timestamp(microseconds: 0) }, { $0.signature = nil },
      { $0.labels["x"] = "y" }, { $0.annotations = [:] }, { $0.ownerReferences = [] }, { $0.requestedBy = "joe" },
      { $0.apiVersion = "other/v1" },
    ] {
      var forged = signed
      change(&forged)
      #expect(!forged.isSigned(backend: "ci", byOneOf: [[1]]))
    }
  }
}

@Suite struct EnvelopeOwnershipTests {
  private let projector = Projector(
    group: "workflow.example.com",
    bindings: [
      BindingInfo(
        name: "b", backend: "ci", namespace: "default", scope: AdapterScope(), access: .manage, deletionPolicy: .delete, inlineSteps: true)
    ], signingKeys: [])

  private func isOurs(template: String?, spec: JSONValue, _ change: (inout Envelope) -> Void = { _ in }) -> Bool {
    var envelope = Envelope(
      apiVersion: "workflow.example.com/v1alpha1", namespace: "default", name: "a",
      uid: EngineNames.randomUID(Array(repeating: 7, count: 16)),
      submittedAt: at(0), labels: [:], annotations: [:], ownerReferences: nil, requestedBy: "jane", spec: spec)
    change(&envelope)
    var run = KnownRun(
      Observation(key: RunKey(id: "1"), identity: "1", attempt: .unknown, core: .unseen, envelope: .unseen), began: at(0), now: at(0))
    run.envelopeFacet.value = .present(envelope.json)
    guard projector.envelopeIdentity(of: run, binding: "b") == nil else { return true }
    run.coreFacet.value = .present(RunCore(phase: .running, rawState: "r", template: template))
    return projector.envelopeIdentity(of: run, binding: "b") != nil
  }

  @Test func anEnvelopeHoldsForItsTemplateOnly() {
    let build: JSONValue = ["templateRef": ["name": .string(EngineNames.objectName("Nightly_Build"))]]
    #expect(isOurs(template: "Nightly_Build", spec: build))
    #expect(!isOurs(template: "other", spec: build) && !isOurs(template: nil, spec: build))
    let inline: JSONValue = ["steps": [["name": "s"]]]
    #expect(isOurs(template: nil, spec: inline) && !isOurs(template: "other", spec: inline))
  }

  @Test func whatKubernetesWouldNotAcceptIsForeign() {
    for change: (inout Envelope) -> Void in [
      { $0.name = "No_Name" }, { $0.name = "" }, { $0.uid = "u" }, { $0.uid = "../../../-aaaa-bbbb-cccc-dddddddddddd" },
      { $0.labels["a b"] = "c" }, { $0.labels["a"] = "b c" }, { $0.annotations["/"] = "" }, { $0.ownerReferences = "x" },
      { $0.ownerReferences = [["kind": "Pod"]] }, { $0.namespace = "other" },
    ] {
      #expect(!isOurs(template: nil, spec: ["steps": [["name": "s"]]], change))
    }
  }
}

@Suite struct EngineNamesTests {
  @Test(arguments: [
    ("build", "build"), ("my.dag", "my.dag"), ("team/build", "team-build-"), ("Nightly_Build", "nightly-build-"), ("-x-", "x-"),
    ("ÄÖ", "x"), ("", "x"),
    ("a..b", "a--b-"),
  ])
  func objectName(_ original: String, _ expected: String) {
    let name = EngineNames.objectName(original)
    #expect(name.hasPrefix(expected))
    #expect(name == expected || name.count == expected.count + 8)
    #expect(name == EngineNames.objectName(original))
  }

  @Test func differentNamesStayDifferent() {
    #expect(EngineNames.objectName("a_b") != EngineNames.objectName("a-b"))
    #expect(EngineNames.objectName("A") != EngineNames.objectName("a"))
    #expect(EngineNames.objectName(String(repeating: "x", count: 300)).count == 253)
  }

  @Test(arguments: [("main", "main"), ("feature/x", "feature-x-"), ("-a-", "a-"), ("", "")])
  func labelValue(_ original: String, _ expected: String) {
    let value = EngineNames.labelValue(original)
    #expect(value.hasPrefix(expected) && value.count <= 63)
  }

  @Test func uidsAreLastingAndWellFormed() {
    let uid = EngineNames.uid(backend: "ci", identity: "dag/run")
    #expect(uid == EngineNames.uid(backend: "ci", identity: "dag/run"))
    #expect(uid != EngineNames.uid(backend: "ci2", identity: "dag/run"))
    #expect(uid.count == 36 && Array(uid)[14] == "5" && "89ab".contains(Array(uid)[19]))
    let random = EngineNames.randomUID(Array(repeating: 0xFF, count: 16))
    #expect(random == "ffffffff-ffff-4fff-bfff-ffffffffffff")
  }
}
