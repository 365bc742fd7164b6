import JSON
import KubeWire
import Testing

@testable import Translation

@Suite struct WorkflowChangeTests {
  private let object: JSONValue = [
    "metadata": ["name": "a", "labels": ["team": "build", "workflow.example.com/backend": "ci"], "annotations": ["note": "x"]],
    "spec": ["steps": [["name": "s", "command": ["true"]]], "timeout": "1m"],
  ]

  private func change(_ patch: JSONValue) throws(StatusError) -> WorkflowChange {
    try WorkflowChange(from: object, to: object.merging(patch: patch), group: "workflow.example.com") { errors in
      .invalid(kind: "Workflow", group: "workflow.example.com", name: "a", errors: errors)
    }
  }

  @Test func whatChangesNothingIsEmpty() throws {
    #expect(try change([:]).isEmpty)
    #expect(try change(["metadata": ["labels": ["team": "build"]], "spec": ["suspend": false]]).isEmpty)
  }

  @Test func labelsAndAnnotationsBecomeAPatchOfTheOverlay() throws {
    let wish = try change(["metadata": ["labels": ["team": nil, "new": "1"], "annotations": ["note": "y"]]])
    var overlay = Overlay(["labels": ["kept": "2"]])
    wish.apply(to: &overlay)
    #expect(overlay.json == ["labels": ["kept": "2", "new": "1", "team": nil], "annotations": ["note": "y"]])
    #expect(overlay.generation == 1, "metadata is no spec")
  }

  @Test func suspendAndCancelCountAsChangesOfTheSpec() throws {
    let wish = try change(["spec": ["suspend": true, "cancel": true]])
    #expect(wish.suspend == true && wish.cancel)
    var overlay = Overlay(nil)
    wish.apply(to: &overlay)
    #expect(overlay.generation == 2)
  }

  @Test(arguments: [
    (#"{"spec":{"timeout":"2m"}}"#, "spec.timeout: Forbidden: cannot be changed after submission"),
    (#"{"spec":{"steps":null}}"#, "spec.steps: Forbidden"), (#"{"metadata":{"finalizers":["a/b"]}}"#, "metadata.finalizers: Forbidden"),
    (#"{"metadata":{"labels":{"workflow.example.com/backend":"x"}}}"#, "are set by the gateway"),
    (#"{"metadata":{"labels":{"team":"not legal!"}}}"#, "metadata.labels"), (#"{"spec":{"cancel":false}}"#, "spec.cancel: Forbidden"),
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
}
