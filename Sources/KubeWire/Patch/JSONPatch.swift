package import JSON
internal import OrderedCollections

/// A JSON patch (RFC 6902). Where Kubernetes' own reading is more lenient, so is this: `replace` of a member that is missing adds it, and `test` of a missing
/// member against null passes. Indices are read as the RFC writes them, and negative ones as Kubernetes does: they count from the end.
package struct JSONPatch: Sendable {
  package enum Failure: Error, Sendable, Hashable {
    /// No JSON patch at all: 400.
    case malformed(String)
    /// More operations, or more copied bytes, than are allowed: 413.
    case tooLarge(String)
    /// It cannot be applied to this value, or a test failed: 422.
    case inapplicable(String)

    /// The cause, for people.
    package var message: String {
      switch self {
      case .malformed(let text), .tooLarge(let text), .inapplicable(let text): text
      }
    }

    /// The answer, as Kubernetes gives it (kubernetes-wire C21), with the cause besides, which kubectl shows with its field.
    package var statusError: StatusError {
      switch self {
      case .malformed(let text): .badRequest("error decoding patch: \(text)")
      case .tooLarge(let text): StatusError(Status(code: 413, reason: "RequestEntityTooLarge", message: text, details: Status.Details()))
      case .inapplicable(let text):
        StatusError(
          Status(
            code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request",
            details: Status.Details(causes: [Status.Cause(message: text, field: "patch")])))
      }
    }
  }

  enum Operation: Sendable {
    case add(JSONPointer, JSONValue)
    case remove(JSONPointer)
    case replace(JSONPointer, JSONValue)
    case move(from: JSONPointer, JSONPointer)
    case copy(from: JSONPointer, JSONPointer)
    case test(JSONPointer, JSONValue)
    /// What cannot be understood fails when its turn comes, after a `test` before it had the chance to.
    case broken(String)
  }

  /// kubernetes-wire C5.
  static let maximumOperations = 10_000
  static let maximumCopiedBytes = 3 * 1024 * 1024

  let operations: [Operation]

  /// - Throws: ``Failure`` when it is no list of objects, or has too many.
  package init(json: JSONValue) throws(Failure) {
    guard let elements = json.array else { throw .malformed("a JSON patch is a list of operations, not \(json.typeName)") }
    guard elements.count <= Self.maximumOperations else {
      throw .tooLarge("The allowed maximum operations in a JSON patch is \(Self.maximumOperations), got \(elements.count)")
    }
    var operations: [Operation] = []
    for element in elements {
      guard let members = element.object else { throw .malformed("an operation of a JSON patch is an object, not \(element.typeName)") }
      operations.append(Self.operation(members))
    }
    self.operations = operations
  }

  private static func operation(_ members: JSONObject) -> Operation {
    guard let kind = members["op"]?.string else { return .broken("operation without op") }
    func pointer(_ name: String) -> JSONPointer? { members[name]?.string.flatMap { JSONPointer($0) } }
    guard ["add", "remove", "replace", "move", "copy", "test"].contains(kind) else { return .broken("Unexpected kind: \(kind)") }
    guard let path = pointer("path") else { return .broken("\(kind) operation failed to decode path") }
    switch kind {
    case "remove": return .remove(path)
    case "move", "copy":
      guard let from = pointer("from") else { return .broken("\(kind) operation failed to decode from") }
      return kind == "move" ? .move(from: from, path) : .copy(from: from, path)
    default:
      guard let value = members["value"] else { return .broken("\(kind) operation has no value") }
      return kind == "add" ? .add(path, value) : kind == "replace" ? .replace(path, value) : .test(path, value)
    }
  }

  /// - Returns: the value after all operations. - Throws: ``Failure``; then none of them counts.
  package func apply(to value: JSONValue) throws(Failure) -> JSONValue {
    var target = JSONPatchTarget(value)
    for operation in operations {
      switch operation {
      case .add(let path, let value): try target.add(value, at: path)
      case .remove(let path): _ = try target.remove(path)
      case .replace(let path, let value): try target.replace(path, by: value)
      case .move(let from, let path): try target.move(from, to: path)
      case .copy(let from, let path): try target.copy(from, to: path)
      case .test(let path, let value): try target.test(path, value)
      case .broken(let text): throw .inapplicable(text)
      }
    }
    return target.value
  }
}
