package import JSON

/// One step of a path into an object, as server-side apply names the parts that managers own.
package enum PathElement: Sendable, Hashable {
  /// A member of an object or of a map.
  case field(String)
  /// An element of a list that is merged by key: its key members, ascending by name.
  case key([KeyMember])
  /// An element of a set list: its value.
  case value(JSONValue)
  /// An element of a list by its place. Only read from others: our own lists are keyed, sets, or owned as a whole.
  case index(Int)

  package struct KeyMember: Sendable, Hashable {
    package var name: String
    package var value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The step as messages show it: `.spec`, `[name="a"]`, `[="x"]`, `[0]`.
  package var text: String {
    switch self {
    case .field(let name): ".\(name)"
    case .key(let members): "[\(members.map { "\($0.name)=\($0.value.text)" }.joined(separator: ","))]"
    case .value(let value): "[=\(value.text)]"
    case .index(let index): "[\(index)]"
    }
  }
}

/// Fields come first, then keys, values and places; names and texts in byte order.
extension PathElement: Comparable {
  package static func < (a: PathElement, b: PathElement) -> Bool {
    switch (a, b) {
    case (.field(let a), .field(let b)): a.precedesInBytes(b)
    case (.key(let a), .key(let b)):
      a.lexicographicallyPrecedes(b) { a, b in a.name == b.name ? a.value.precedes(b.value) : a.name.precedesInBytes(b.name) }
    case (.value(let a), .value(let b)): a.precedes(b)
    case (.index(let a), .index(let b)): a < b
    default: a.rank < b.rank
    }
  }

  private var rank: Int {
    switch self {
    case .field: 0
    case .key: 1
    case .value: 2
    case .index: 3
    }
  }
}

extension String {
  func precedesInBytes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

extension JSONValue {
  /// Numbers before texts before booleans before the rest; within a type ascending.
  fileprivate func precedes(_ other: JSONValue) -> Bool {
    switch (self, other) {
    case (.int(let a), .int(let b)): a < b
    case (.string(let a), .string(let b)): a.precedesInBytes(b)
    case (.bool(let a), .bool(let b)): !a && b
    default:
      if let a = double, let b = other.double {
        a < b
      } else if rank != other.rank {
        rank < other.rank
      } else {
        text.precedesInBytes(other.text)
      }
    }
  }

  private var rank: Int {
    switch self {
    case .int, .double: 0
    case .string: 1
    case .bool: 2
    case .null: 3
    case .array: 4
    case .object: 5
    }
  }

  /// The same number in one spelling, so that 1 and 1.0 are one element of a set.
  var normalizedNumber: JSONValue {
    if case .double(let number) = self, let whole = Int64(exactly: number) { .int(whole) } else { self }
  }
}
