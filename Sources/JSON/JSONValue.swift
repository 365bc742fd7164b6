public import OrderedCollections

/// Members in the order in which they were added or read.
///
/// Names are compared as Swift compares strings: two spellings of the same characters (é in one scalar, or as e with an accent) are one name here, so that
/// an object never has both, while a ``JSONView`` tells them apart by their bytes, and so does the equality of ``JSONValue``.
public typealias JSONObject = OrderedDictionary<String, JSONValue>

/// A JSON value that can be built and changed. For reading large texts use ``JSONView``.
///
/// Two values are equal when they have the same texts, byte for byte, the same numbers in the same form (``int(_:)`` or ``double(_:)``), and the same
/// members in the same order. ``canonical`` forgets the form and the order.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Parses a whole text. - Throws: ``JSONError``.
  public init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
    self = try JSONDocument(bytes, limits: limits).root.value
  }

  /// Parses a whole text. - Throws: ``JSONError``.
  public init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    self = try JSONDocument(text, limits: limits).root.value
  }

  public static let emptyObject = JSONValue.object([:])

  public var isNull: Bool { self == .null }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var int: Int64? { if case .int(let value) = self { value } else { nil } }
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

  public var double: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    default: nil
    }
  }

  /// The word that error messages use: null, boolean, integer, number, string, array or object.
  public var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .int: "integer"
    case .double: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  /// A member; nil when absent or when this is no object. Setting nil removes it; setting on a non-object makes it an object.
  public subscript(_ name: String) -> JSONValue? {
    get { object?[name] }
    set {
      var members = object ?? [:]
      members[name] = newValue
      self = .object(members)
    }
  }

  /// False when a number in it is infinite, and would be written as null.
  public var isFinite: Bool {
    switch self {
    case .double(let value): value.isFinite
    case .array(let elements): elements.allSatisfy(\.isFinite)
    case .object(let members): members.values.allSatisfy(\.isFinite)
    default: true
    }
  }

  /// Compact text in UTF-8.
  public var encoded: [UInt8] {
    var writer = JSONWriter()
    writer.value(self)
    return writer.bytes
  }

  /// Compact text.
  public var text: String { String(decoding: encoded, as: UTF8.self) }

  /// The same value with the members of every object in ascending byte order of their names, and every whole number that fits as an ``int(_:)``: 1.0 is
  /// written as 1, and comes back from an engine or a client as either. For digests and comparisons.
  public var canonical: JSONValue {
    switch self {
    case .double(let number): Int64(exactly: number).map(JSONValue.int) ?? self
    case .array(let elements): .array(elements.map(\.canonical))
    case .object(let members):
      .object(
        JSONObject(
          uniqueKeysWithValues: members.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
            .map { ($0.key, $0.value.canonical) }))
    default: self
    }
  }

  /// RFC 7386: this value changed by a merge patch.
  public func merging(patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var members = object ?? [:]
    for (name, change) in changes {
      if change.isNull { members[name] = nil } else { members[name] = (members[name] ?? .null).merging(patch: change) }
    }
    return .object(members)
  }
}

extension JSONValue {
  /// Values that are equal have equal hashes, as texts with the same bytes are equal as Swift compares them, too.
  public static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.double(let a), .double(let b)): a == b
    case (.string(let a), .string(let b)): a.hasSameBytes(as: b)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b && zip(a.keys, b.keys).allSatisfy { $0.hasSameBytes(as: $1) }
    default: false
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByStringInterpolation
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements, uniquingKeysWith: { _, last in last }))
  }
  public init(nilLiteral: ()) { self = .null }
}
