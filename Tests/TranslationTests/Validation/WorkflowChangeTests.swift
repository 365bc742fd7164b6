import AdapterKit
import JSON
import KubeWire
import OrderedCollections
import Testing

@testable import Translation

@Suite struct WorkflowChangeTests {
  private static let group = "workflow.example.com"
  private let object: JSONValue = [
    "metadata": [
      "name": "a", "labels": ["team": "build", "workflow.example.com/backend": "ci"], "annotations": ["note": "x"],
      "finalizers": ["example.com/f"],
    ],
    "spec": ["steps": [["name": "s", "command": ["true"]]], "timeout": "1m"],
  ]
  private let envelope = Envelope(
    apiVersion: "workflow.example.com/v1alpha1", namespace: "default", name: "a", uid: "u", submittedAt: at(0), labels: ["team": "build"],
    annotations: ["note": "x"], ownerReferences: nil, finalizers: ["example.com/f"], requestedBy: "jane", spec: [:])

  private func change(_ patch: JSONValue, of object: JSONValue? = nil) throws(StatusError) -> WorkflowChange {
    let object = object ?? self.object
    return try WorkflowChange(from: object, to: object.merging(patch: patch), group: Self.group) { errors in
      .invalid(kind: "Workflow", group: Self.group, name: "a", errors: errors)
    }
  }

  @Test func whatChangesNothingIsEmpty() throws {
    #expect(try change([:]).isEmpty)
    #expect(try change(["metadata": ["labels": ["team": "build"]], "spec": ["suspend": nil]]).isEmpty)
    // C15: what the server owns is not looked at, and its labels may be left out.
    let owned: JSONValue = [
      "metadata": [
        "generation": 7, "creationTimestamp": "2020-01-01T00:00:00Z", "deletionTimestamp": "2020-01-01T00:00:00Z", "managedFields": [],
        "labels": ["workflow.example.com/backend": nil],
      ]
    ]
    #expect(try change(owned).isEmpty)
  }

  @Test func whatDiffersFromTheEnvelopeIsKept() throws {
    let wish = try change([
      "metadata": [
        "labels": ["team": nil, "new": "1"], "annotations": ["note": "y"],
        "ownerReferences": [["uid": "o", "name": "n", "kind": "ConfigMap", "apiVersion": "v1"]], "finalizers": nil,
      ]
    ])
    #expect(wish.changedMetadata == ["labels", "annotations", "ownerReferences", "finalizers"])
    var overlay = Overlay(nil)
    wish.apply(to: &overlay, over: envelope)
    #expect(
      overlay.json == [
        "labels": ["new": "1", "team": nil], "annotations": ["note": "y"],
        "ownerReferences": [["apiVersion": "v1", "kind": "ConfigMap", "name": "n", "uid": "o"]], "finalizers": [],
      ])
    #expect(overlay.generation == 1, "metadata is no spec")
    #expect(KeptMetadata(envelope, overlay) == wish.metadata)
  }

  @Test("C15: another spelling of the same characters is a change") func spellings() throws {
    let composed = object.merging(patch: ["metadata": ["annotations": ["note": "\u{E9}"]]])
    let wish = try change(["metadata": ["annotations": ["note": "e\u{301}"]]], of: composed)
    #expect(wish.changedMetadata == ["annotations"])
    var overlay = Overlay(["annotations": ["note": "\u{E9}"]])
    wish.apply(to: &overlay, over: envelope)
    #expect(overlay.json == ["annotations": ["note": "e\u{301}"]])
  }

  @Test func whatIsTakenBackIsForgotten() throws {
    var overlay = Overlay(["labels": ["team": nil], "finalizers": [], "status": ["x": 1]])
    KeptMetadata(of: object["metadata"], group: Self.group).keep(in: &overlay, over: envelope)
    #expect(overlay.json == ["status": ["x": 1]])
  }

  @Test func suspendAndCancelCountAsChangesOfTheSpec() throws {
    let wish = try change(["spec": ["suspend": true, "cancel": true]])
    #expect(wish.suspend == true && wish.cancel)
    var overlay = Overlay(nil)
    wish.apply(to: &overlay, over: envelope)
    #expect(overlay.json == ["spec": ["suspend": true, "cancel": true], "generation": 2])
  }

  @Test("C15: what was taken over is there; false is a value") func falseIsRemembered() throws {
    let wish = try change(["spec": ["suspend": false, "cancel": false]])
    #expect(!wish.isEmpty && wish.suspend == false && !wish.cancel)
    var overlay = Overlay(nil)
    wish.apply(to: &overlay, over: envelope)
    #expect(overlay.json == ["spec": ["suspend": false, "cancel": false], "generation": 2])
    // And back to what was submitted: nothing is left to remember but that there were two changes.
    let there = object.merging(patch: ["spec": ["suspend": false, "cancel": false]])
    try change(["spec": ["suspend": nil, "cancel": nil]], of: there).apply(to: &overlay, over: envelope)
    #expect(overlay.json == ["generation": 3])
  }

  @Test func aSuspendThatIsTakenOutIsRemembered() throws {
    let suspended = object.merging(patch: ["spec": ["suspend": true]])
    let wish = try change(["spec": ["suspend": nil]], of: suspended)
    #expect(wish.suspend == false && wish.spec == ["suspend": nil])
    var submitted = envelope
    submitted.spec = ["suspend": true]
    var overlay = Overlay(nil)
    wish.apply(to: &overlay, over: submitted)
    #expect(overlay.json == ["spec": ["suspend": nil], "generation": 2])
  }

  @Test("C17: nothing new holds what is being deleted") func finalizersOfATerminatingObject() throws {
    let going = object.merging(patch: ["metadata": ["deletionTimestamp": "2026-11-22T12:00:00Z"]])
    #expect(try change(["metadata": ["finalizers": nil]], of: going).metadata.finalizers.isEmpty)
    do {
      _ = try change(["metadata": ["finalizers": ["example.com/f", "example.com/g"]]], of: going)
      Issue.record("accepted")
    } catch {
      #expect(
        error.status.message.hasSuffix(
          #"metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/g"}"#
        ), "\(error)")
    }
  }

  @Test(arguments: [
    (#"{"spec":{"timeout":"2m"}}"#, "spec.timeout: Forbidden: cannot be changed after submission"),
    (#"{"spec":{"steps":null}}"#, "spec.steps: Forbidden"), (#"{"metadata":{"finalizers":["a b"]}}"#, "metadata.finalizers: Invalid"),
    (#"{"metadata":{"finalizers":["orphan","foregroundDeletion"]}}"#, "cannot be both set"),
    (#"{"metadata":{"ownerReferences":[{"kind":"Pod"}]}}"#, "metadata.ownerReferences.uid: Invalid value"),
    (#"{"metadata":{"labels":{"workflow.example.com/backend":"x"}}}"#, "are set by the gateway"),
    (#"{"metadata":{"labels":{"workflow.example.com/mine":"x"}}}"#, "are set by the gateway"),
    (#"{"metadata":{"labels":{"team":"not legal!"}}}"#, "metadata.labels"),
  ])
  func refuses(_ patch: String, _ expected: String) throws {
    let json = try JSONValue(parsing: patch)
    do {
      _ = try change(json)
      Issue.record("accepted \(patch)")
    } catch {
      #expect(error.status.message.contains(expected), "\(error)")
    }
  }

  @Test func aCancelIsNotTakenBack() throws {
    let cancelled = object.merging(patch: ["spec": ["cancel": true]])
    #expect(throws: StatusError.self) { _ = try change(["spec": ["cancel": false]], of: cancelled) }
    #expect(try !change(["spec": ["cancel": false]]).cancel)
  }
}

@Suite struct StatusChangeTests {
  private let object: JSONValue = [
    "status": [
      "phase": "Running", "startTime": "2026-11-22T12:00:00Z", "mine": 1,
      "conditions": [["type": "Ready", "status": "False"], ["type": "Approved", "status": "True"]],
    ]
  ]

  private func change(_ status: JSONValue) throws(StatusError) -> StatusChange {
    try StatusChange(from: object, to: ["status": status]) { .invalid(kind: "Workflow", group: "g", name: "a", errors: $0) }
  }

  @Test func whatTheEngineOwnsIsNotTaken() throws {
    let wish = try change([
      "phase": "Succeeded", "startTime": "2024-01-15T10:30:00Z", "mine": 1,
      "conditions": [["type": "Ready", "status": "True"], ["type": "Approved", "status": "True"]],
    ])
    #expect(wish.phase == .succeeded && !wish.changesKept)
    #expect(
      wish.warnings.map { String($0.prefix { $0 != " " }) } == ["status.startTime", "status.conditions[type=Ready]"], "\(wish.warnings)")
  }

  @Test func whatIsOthersIsKept() throws {
    let wish = try change(["phase": "Running", "kopf": ["progress": [:]], "conditions": [["type": "Approved", "status": "False"]]])
    #expect(wish.phase == nil && wish.changesKept && wish.warnings.isEmpty)
    #expect(JSONValue.object(wish.kept) == ["kopf": ["progress": [:]], "conditions": [["type": "Approved", "status": "False"]]])
    // What a client leaves out of the engine's is no change; what it leaves out of its own goes.
    #expect(try change([:]).changesKept)
    #expect(try !change(["mine": 1, "conditions": [["type": "Approved", "status": "True"]]]).changesKept)
  }

  @Test("C15: nobody owns through us what is the engine's") func theEnginesPart() {
    let wanted: JSONValue = [
      "phase": "Succeeded", "mine": 2, "conditions": [["type": "Ready", "status": "True"], ["type": "Approved", "status": "False"]],
    ]
    #expect(StatusFields.others(of: wanted) == ["mine": 2, "conditions": [["type": "Approved", "status": "False"]]])
    #expect(
      StatusFields.merged(engine: object["status"], others: wanted) == [
        "phase": "Running", "startTime": "2026-11-22T12:00:00Z", "mine": 2,
        "conditions": [["type": "Ready", "status": "False"], ["type": "Approved", "status": "False"]],
      ])
  }

  @Test func thereAreFourPhases() {
    #expect(throws: StatusError.self) { _ = try change(["phase": "Zork"]) }
  }
}

@Suite struct OverlayTests {
  @Test func managedFieldsGoFirst() throws {
    var overlay = Overlay(["labels": ["a": "b"]])
    overlay.managedFields = [.string(String(repeating: "x", count: 900))]
    #expect(try overlay.fitted(4096) == overlay)
    let smaller = try overlay.fitted(1000)
    #expect(smaller.managedFields == nil && smaller.json == ["labels": ["a": "b"]])
  }

  @Test func aDeletionHasRoom() throws {
    var overlay = Overlay(["annotations": ["note": .string(String(repeating: "x", count: 700))]])
    #expect(throws: Overlay.TooLarge.self) { _ = try overlay.fitted(900) }
    overlay.deletionTimestamp = at(0)
    overlay.finalizers = ["foregroundDeletion", "orphan"]
    #expect(try overlay.fitted(900, isDeletion: true) == overlay)
  }

  @Test func theOrderOfMembersIsNoDifference() {
    #expect(Overlay(["a": 1, "b": ["c": 1, "d": 2]]) == Overlay(["b": ["d": 2, "c": 1], "a": 1]))
  }
}
