import JSON
import KubeWire
import Testing

@Suite struct StatusTests {
  private let group = "workflow.example.com"
  private func text(_ error: StatusError) -> String { String(decoding: error.status.json, as: UTF8.self) }

  @Test("E1: the whole Status of a missing object") func notFound() {
    #expect(
      text(.notFound(resource: "workflows", group: group, name: "nope"))
        == #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"workflows.workflow.example.com \"nope\" not found","reason":"NotFound","details":{"name":"nope","group":"workflow.example.com","kind":"workflows"},"code":404}"#
    )
  }

  @Test("C24: a delete that left nothing") func deleted() {
    #expect(
      String(decoding: Status.deleted(resource: "workflows", group: group, name: "d1", uid: "e889").json, as: UTF8.self)
        == #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"d1","group":"workflow.example.com","kind":"workflows","uid":"e889"}}"#
    )
  }

  @Test("L5: a version from the future") func tooLarge() {
    let error = StatusError.resourceVersionTooLarge(requested: 999_999_999, current: 591)
    #expect(error.status.message == "Timeout: Too large resource version: 999999999, current: 591")
    #expect(error.status.details?.causes.first?.reason == "ResourceVersionTooLarge")
    #expect(error.retryAfter == 1 && error.status.code == 504 && error.status.reason == "Timeout")
  }

  @Test("W4: an expired version has code 410 and reason Expired") func expired() {
    #expect(
      text(.tooOldResourceVersion(requested: 1, oldest: 230))
        == #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (230)","reason":"Expired","code":410}"#
    )
  }

  @Test("E3: field errors") func fieldErrors() {
    let errors: [FieldError] = [
      .required("spec", "one of templateRef and steps is required"), .invalid("spec.timeout", "zz", "must be a duration"),
      .notSupported("spec.x", "x", supported: ["a", "b"]), .tooLong("fieldManager", maximumBytes: 128),
      .duplicate("spec.steps[1].name", "a"),
    ]
    let status = StatusError.invalid(kind: "Workflow", group: group, name: "X", errors: errors).status
    #expect(
      status.message
        == #"Workflow.workflow.example.com "X" is invalid: [spec: Required value: one of templateRef and steps is required, spec.timeout: Invalid value: "zz": must be a duration, spec.x: Unsupported value: "x": supported values: "a", "b", fieldManager: Too long: may not be more than 128 bytes, spec.steps[1].name: Duplicate value: "a"]"#
    )
    #expect(
      status.details?.causes.map(\.reason)
        == ["FieldValueRequired", "FieldValueInvalid", "FieldValueNotSupported", "FieldValueTooLong", "FieldValueDuplicate"])
    #expect(status.details?.kind == "Workflow")
  }

  @Test("C6: terminating namespace; C11: exists; C13: conflict") func writes() {
    let terminating = StatusError.namespaceTerminating(resource: "workflows", group: group, name: "a", namespace: "n").status
    #expect(
      terminating.message
        == #"workflows.workflow.example.com "a" is forbidden: unable to create new content in namespace n because it is being terminated"#)
    #expect(terminating.details?.causes.first?.reason == "NamespaceTerminating")
    let exists = StatusError.alreadyExists(resource: "workflows", group: group, name: "a").status
    #expect(exists.message == #"workflows.workflow.example.com "a" already exists"# && exists.reason == "AlreadyExists")
    let conflict = StatusError.conflict(resource: "workflows", group: group, name: "u1").status
    #expect(
      conflict.reason == "Conflict"
        && conflict.message.hasPrefix(
          #"Operation cannot be fulfilled on workflows.workflow.example.com "u1": the object has been modified;"#)
    )
  }
}
