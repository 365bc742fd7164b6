internal import JSON
internal import KubeWire
internal import OrderedCollections

/// What a schema cannot make sure of in a status that is to be written.
enum StatusRules {
  /// All faults of the conditions, each with its field path: without a type or a status, with a status that there is not, or two of one type, which no
  /// server-side apply could take afterwards. The rest of a status is the engine's, whose steps may well be named alike, or nobody's business.
  ///
  /// - Parameter status: with the types of the schema.
  static func errors(status: JSONValue) -> [FieldError] {
    guard let conditions = status["conditions"], case .object(let fields, _) = KindDescription.workflowStatus.form else { return [] }
    return fields.filter { $0.name == "conditions" }.flatMap { $0.schema.errors(in: conditions, at: "status.conditions") }
  }
}
