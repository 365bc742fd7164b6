public import JSON
internal import OrderedCollections

/// A value of the Common Expression Language.
///
/// Containers that came as JSON stay JSON (``json(_:)``) and are read in place; so do strings while an expression runs. What
/// ``CELProgram/evaluate(_:costLimit:)`` returns and what a function of the host is given never is a `json` string, so
/// `case .string` is enough there. For containers use ``elements`` and ``subscript(_:)``, which work on both forms.
public enum CELValue: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case list([CELValue])
  case map(CELMap)
  /// A JSON array, object or string that was not decoded.
  case json(JSONView)
  case timestamp(CELTimestamp)
  case duration(CELDuration)
  case type(CELType)
  /// nil inside is `optional.none()`.
  indirect case optional(CELValue?)
  /// A value of a type that a library or the host adds: an address, a quantity, an authorizer.
  case opaque(any CELOpaque)

  /// Scalars are decoded, containers and strings stay where they are. A number without fraction and exponent is an int when it fits, else a double.
  public init(_ view: JSONView) {
    switch view.kind {
    case .null: self = .null
    case .bool: self = .bool(view.bool!)
    case .number:
      if let int = view.int { self = .int(int) } else { self = .double(view.double!) }
    case .string, .array, .object: self = .json(view)
    }
  }

  public init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .double(let value): self = .double(value)
    case .string(let value): self = .string(value)
    case .array(let elements): self = .list(elements.map { CELValue($0) })
    case .object(let members):
      var entries = CELMap.Entries(minimumCapacity: members.count)
      for (name, member) in members { entries[.string(name)] = CELValue(member) }
      self = .map(CELMap(entries))
    }
  }

  /// A map with string keys, in that order; the last of repeated keys counts.
  public static func object(_ members: KeyValuePairs<String, CELValue>) -> CELValue {
    var entries = CELMap.Entries(minimumCapacity: members.count)
    for (name, member) in members { entries[.string(name)] = member }
    return .map(CELMap(entries))
  }

  /// nil unless this is a string, in either form.
  public var string: String? {
    switch self {
    case .string(let value): value
    case .json(let view): view.string
    default: nil
    }
  }

  /// nil unless this is a bool.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// nil unless this is an int.
  public var int: Int64? { if case .int(let value) = self { value } else { nil } }

  /// True for lists in either form.
  public var isList: Bool {
    switch self {
    case .list: true
    case .json(let view): view.kind == .array
    default: false
    }
  }

  /// True for maps in either form.
  public var isMap: Bool {
    switch self {
    case .map: true
    case .json(let view): view.kind == .object
    default: false
    }
  }

  /// The elements of a list, in either form; nil for anything else.
  public var elements: [CELValue]? {
    switch self {
    case .list(let elements): elements
    case .json(let view) where view.kind == .array: view.elements.map { CELValue($0) }
    default: nil
    }
  }

  /// The entries of a map, in either form, in order; nil for anything else.
  public var entries: [(key: CELKey, value: CELValue)]? {
    switch self {
    case .map(let map): map.entries.map { ($0.key, $0.value) }
    case .json(let view) where view.kind == .object: CELMap(view).entries.map { ($0.key, $0.value) }
    default: nil
    }
  }

  /// The entry of a map under a string key, in either form; nil when there is none or when this is no map.
  public subscript(_ key: String) -> CELValue? {
    switch self {
    case .map(let map): map.entries[.string(key)]
    case .json(let view): view[key].map { CELValue($0) }
    default: nil
    }
  }

  /// The same value, with a string out of JSON decoded.
  var settled: CELValue {
    if case .json(let view) = self, let string = view.string { return .string(string) }
    return self
  }

  /// The type at run time; parameters are `dyn`.
  public var type: CELType {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    case .list: .list(.dyn)
    case .map: .map(.dyn, .dyn)
    case .json(let view):
      switch view.kind {
      case .array: .list(.dyn)
      case .object: .map(.dyn, .dyn)
      default: .string
      }
    case .timestamp: .timestamp
    case .duration: .duration
    case .type: .type
    case .optional: .optional(.dyn)
    case .opaque(let value): .abstract(value.typeName)
    }
  }
}

/// A value whose inside the language does not know; functions give it meaning.
public protocol CELOpaque: AnyObject, Sendable {
  /// The name of its type, such as `net.IP`; declarations name it ``CELType/abstract(_:_:)``.
  var typeName: String { get }
  /// What `==` says. Both have the same type name.
  func isEqual(to other: any CELOpaque) -> Bool
  /// What `string()` and `format` make of it; nil when it has no text.
  var text: String? { get }
  /// JSON of it at the end of a template or an evaluation; nil when it has none.
  var json: JSONValue? { get }
}

extension CELOpaque {
  public var text: String? { nil }
  public var json: JSONValue? { text.map { .string($0) } }
}
