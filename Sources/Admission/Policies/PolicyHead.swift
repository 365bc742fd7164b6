import CEL
import JSON

/// What validating and mutating policies have in common, compiled once per generation.
struct PolicyHead: Sendable {
  let name: String
  private let uid: String
  private let generation: Int64
  /// nil when the policy says nothing of what it applies to.
  let matcher: Matcher?
  let failurePolicy: FailurePolicy
  let paramKind: JSONValue?
  let variables: ExpressionVariables
  let conditions: MatchConditions

  /// - Parameter environment: gets the policy's variables.
  init(_ object: JSONValue, environment: inout CELEnvironment) {
    let spec = object["spec"]
    name = object["metadata"]?["name"]?.string ?? ""
    uid = object["metadata"]?["uid"]?.string ?? ""
    generation = object["metadata"]?["generation"]?.int ?? -1
    matcher = spec?["matchConstraints"].flatMap { $0.object == nil ? nil : Matcher(resources: $0) }
    failurePolicy = FailurePolicy(spec?["failurePolicy"])
    paramKind = Self.paramKind(object)
    variables = ExpressionVariables(spec?["variables"], in: &environment)
    conditions = MatchConditions(spec?["matchConditions"], failurePolicy: failurePolicy, in: environment)
  }

  static func paramKind(_ object: JSONValue) -> JSONValue? {
    guard let kind = object["spec"]?["paramKind"], kind.object != nil else { return JSONValue?.none }
    return kind
  }

  /// Whether this was made of the very spec that the object has.
  func isCurrent(_ object: JSONValue) -> Bool {
    generation >= 0 && object["metadata"]?["generation"]?.int == generation && object["metadata"]?["uid"]?.string == uid
  }

  var compileErrors: [String] { variables.definitions.compactMap(\.expression.compileError) + conditions.compileErrors }
}
