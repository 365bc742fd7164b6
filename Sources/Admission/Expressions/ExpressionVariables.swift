import CEL
import JSON

/// The `variables` of a policy, in order; each can name those before it.
struct ExpressionVariables: Sendable {
  let definitions: [(name: String, expression: Expression)]

  static let none = ExpressionVariables(definitions: [])

  /// Compiles the list and makes the names known to `environment`.
  init(_ json: JSONValue?, in environment: inout CELEnvironment) {
    var definitions: [(name: String, expression: Expression)] = []
    var types: [String: CELType] = [:]
    environment.declare("variables", .object(CELSchema(name: "kubernetes.variables", fields: [:])))
    for entry in json?.array ?? [] {
      let name = entry["name"]?.string ?? ""
      let expression = Expression(entry["expression"]?.string ?? "", in: environment)
      definitions.append((name, expression))
      types[name] = expression.type
      // Twice: the longer name is what is read, one by one; the object is for `has()` and the like.
      environment.declare("variables.\(name)", expression.type)
      environment.declare("variables", .object(CELSchema(name: "kubernetes.variables", fields: types)))
    }
    self.definitions = definitions
  }

  private init(definitions: [(name: String, expression: Expression)]) { self.definitions = definitions }
}
