internal import JSON

/// A type of the language, as declared for a variable or deduced for an expression.
public indirect enum CELType: Sendable, Hashable, CustomStringConvertible {
  /// Any type; what it holds is known at run time only.
  case dyn
  case null, bool, int, uint, double, string, bytes, timestamp, duration
  /// The type of types.
  case type
  case list(CELType)
  case map(CELType, CELType)
  case optional(CELType)
  /// A JSON object with known fields; naming another field is an error when the expression is compiled.
  case object(CELSchema)
  /// That type or null.
  case nullable(CELType)
  /// A type that a library or the host adds; see ``CELOpaque``.
  case abstract(String, [CELType] = [])
  /// In a function's declaration: any type, the same wherever the name is.
  case parameter(String)

  /// As in error messages and as `type()` prints it.
  public var description: String {
    switch self {
    case .list(.dyn): "list"
    case .map(.dyn, .dyn): "map"
    case .list(let element): "list(\(element))"
    case .map(let key, let value): "map(\(key), \(value))"
    case .optional(let wrapped): "optional_type(\(wrapped))"
    case .nullable(let wrapped): "wrapper(\(wrapped))"
    case .abstract(let name, let parameters) where !parameters.isEmpty:
      "\(name)(\(parameters.map(\.description).joined(separator: ", ")))"
    default: name
    }
  }

  /// Without parameters: what type values are compared by.
  var name: String {
    switch self {
    case .dyn: "dyn"
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "google.protobuf.Timestamp"
    case .duration: "google.protobuf.Duration"
    case .type: "type"
    case .list: "list"
    case .map: "map"
    case .optional: "optional_type"
    case .object(let schema): schema.name
    case .nullable(let wrapped): wrapped.name
    case .abstract(let name, _): name
    case .parameter(let name): name
    }
  }

  /// Whether a value can be an argument where this type is declared. Parameters of containers are not looked at.
  func accepts(_ value: CELValue) -> Bool {
    switch (self, value) {
    case (.dyn, _), (.parameter, _): true
    case (.nullable(let wrapped), _): wrapped.accepts(value) || value.isNull
    case (.null, .null), (.bool, .bool), (.int, .int), (.uint, .uint), (.double, .double), (.string, .string), (.bytes, .bytes): true
    case (.timestamp, .timestamp), (.duration, .duration), (.type, .type), (.list, .list), (.map, .map), (.object, .map),
      (.optional, .optional):
      true
    case (.string, .json(let view)): view.kind == .string
    case (.list, .json(let view)): view.kind == .array
    case (.map, .json(let view)), (.object, .json(let view)): view.kind == .object
    case (.abstract(let name, _), .opaque(let value)): name == value.typeName
    case (Library.number, .int), (Library.number, .uint), (Library.number, .double): true
    default: false
    }
  }
}

extension CELValue {
  var isNull: Bool { if case .null = self { true } else { false } }
}
