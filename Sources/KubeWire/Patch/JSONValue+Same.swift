package import JSON
internal import OrderedCollections

extension JSONValue {
  /// Equal as JSON: the order of members does not count, and 1 is 1.0. As `canonical` of both, without making it.
  package func isSame(as other: JSONValue) -> Bool {
    switch (self, other) {
    case (.object(let a), .object(let b)):
      a.count == b.count
        && a.allSatisfy { name, value in
          guard let index = b.index(forKey: name) else { return false }
          let (otherName, other) = b.elements[index]
          return name.hasSameBytes(as: otherName) && value.isSame(as: other)
        }
    case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
    case (.int(let a), .double(let b)), (.double(let b), .int(let a)): Int64(exactly: b) == a
    default: self == other
    }
  }
}
