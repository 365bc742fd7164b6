internal import CEL
internal import OrderedCollections

/// The variables that expressions at one place of the file can use.
struct Declarations: Sendable {
  private(set) var types: OrderedDictionary<String, CELType> = [:]
  /// The host's functions: the same everywhere.
  let functions: [CELFunction]

  init(functions: [CELFunction]) { self.functions = functions }

  func adding(_ name: String, _ type: CELType) -> Declarations {
    var copy = self
    copy.types[name] = type
    return copy
  }

  func adding(_ more: KeyValuePairs<String, CELType>) -> Declarations {
    var copy = self
    for (name, type) in more { copy.types[name] = type }
    return copy
  }

  func makeEnvironment() -> CELEnvironment {
    var environment = CELEnvironment()
    for function in functions { environment.register(function) }
    for (name, type) in types { environment.declare(name, type) }
    return environment
  }
}

/// The shapes of the variables that the interpreter sets; see docs/adapters.md, "Variables".
enum VariableTypes {
  static let key = CELType.object(CELSchema(name: "key", fields: ["kind": .string, "parent": .string, "id": .string]))
  static let backend = CELType.object(CELSchema(name: "backend", fields: ["name": .string, "url": .string]))
  static let response = CELType.object(
    CELSchema(
      name: "response",
      fields: [
        "status": .int, "headers": .map(.string, .string), "headerValues": .map(.string, .list(.string)), "body": .dyn, "date": .string,
        "rows": .list(.dyn),
      ]))
  static let page = CELType.object(
    CELSchema(name: "page", fields: ["size": .int, "offset": .int, "number": .int, "token": .nullable(.string), "first": .bool]))
  static let submission = CELType.object(
    CELSchema(
      name: "submission",
      fields: [
        "key": .string, "uid": .string, "template": .nullable(.string), "parameters": .map(.string, .dyn), "steps": .list(.dyn),
        "timeoutSeconds": .nullable(.int), "schedule": .nullable(.string), "suspended": .bool, "envelope": .dyn, "requestedBy": .string,
      ]))
  static let log = CELType.object(
    CELSchema(
      name: "log", fields: ["follow": .bool, "step": .nullable(.string), "tailLines": .nullable(.int), "since": .nullable(.string)]))

  /// The type of the settings or the scope; members without a default may be missing.
  static func type(of schema: ValueSchema, name: String) -> CELType {
    switch schema.kind {
    case .string: .string
    case .integer: .int
    case .boolean: .bool
    case .number, .any: .dyn
    case .array: .list(schema.items.first.map { type(of: $0, name: name + "[]") } ?? .dyn)
    case .object where schema.open || (schema.properties.isEmpty && name != "settings" && name != "scope"): .map(.string, .dyn)
    case .object:
      .object(
        CELSchema(
          name: name,
          fields: Dictionary(uniqueKeysWithValues: schema.properties.map { ($0.key, type(of: $0.value, name: "\(name).\($0.key)")) })))
    }
  }
}
