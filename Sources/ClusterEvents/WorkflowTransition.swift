package import JSON
internal import OrderedCollections
package import Translation

/// A change of a Workflow that people want to read of in `kubectl describe`.
package struct WorkflowTransition: Sendable, Hashable {
  /// One CamelCase word.
  package var reason: String
  package var message: String
  package var isWarning: Bool

  /// - Returns: nil for a change that is none of phase: labels, steps, messages.
  package static func of(_ object: StoredObject, after phase: String?) -> WorkflowTransition? {
    let status = object.draft.content["status"]
    guard let now = status?["phase"]?.string, now != phase else { return nil }
    let backend = status?["backend"]?["name"]?.string ?? ""
    let reason = status?["reason"]?.string ?? ""
    let id = status?["backend"]?["id"]?.string ?? ""
    let said = status?["message"]?.string ?? ""
    switch now {
    case "Pending":
      return WorkflowTransition(reason: "Submitted", message: "Run \(id) submitted to backend \(backend)", isWarning: false)
    case "Running":
      return WorkflowTransition(
        reason: reason.isEmpty ? "Started" : reason, message: joined("Run \(id) started on backend \(backend)", said), isWarning: false)
    case "Succeeded":
      let progress = status?["progress"]?.string.map { " with \($0) steps" } ?? ""
      return WorkflowTransition(reason: "Completed", message: joined("Run \(id) succeeded\(progress)", said), isWarning: false)
    case "Failed":
      return WorkflowTransition(
        reason: reason.isEmpty ? "Failed" : reason, message: joined("Run \(id) failed on backend \(backend)", said), isWarning: true)
    default: return nil
    }
  }

  private static func joined(_ first: String, _ second: String) -> String {
    [first, second].filter { !$0.isEmpty }.joined(separator: ": ")
  }

  /// A core/v1 Event about the object. Its name is one for each transition, so that a second recorder makes no second one.
  package func event(of object: StoredObject, apiVersion: String, component: String, at now: Timestamp) -> JSONValue {
    let moment = JSONValue.string(now.rfc3339Seconds)
    return [
      "apiVersion": "v1", "kind": "Event",
      "metadata": [
        "name": .string("\(object.draft.name.prefix(220)).\(String(object.version, radix: 16))"),
        "namespace": .string(object.draft.namespace),
      ],
      "involvedObject": [
        "apiVersion": .string(apiVersion), "kind": .string(object.draft.resource.kind), "namespace": .string(object.draft.namespace),
        "name": .string(object.draft.name), "uid": .string(object.draft.uid), "resourceVersion": .string(String(object.version)),
      ],
      "type": isWarning ? "Warning" : "Normal", "reason": .string(reason),
      // Longer ones are refused (events validation, NoteLengthLimit).
      "message": .string(String(message.prefix(1_000))),
      "source": ["component": .string(component)], "reportingComponent": .string(component), "reportingInstance": .string(component),
      "firstTimestamp": moment, "lastTimestamp": moment, "count": 1,
    ]
  }
}
