import JSON
import OrderedCollections

/// What two ways of reading the same text must agree on.
enum Agreement {
  /// Whether the lazy view reads as the built value does, by every accessor.
  static func holds(_ view: JSONView, _ value: JSONValue) -> Bool {
    guard view.isNull == value.isNull, view.bool == value.bool, view.string == value.string else { return false }
    switch value {
    case .null: return view.kind == .null
    case .bool: return view.kind == .bool
    case .int(let int): return view.kind == .number && view.isInteger && view.int == int && view.double == Double(int)
    case .double(let double): return view.kind == .number && view.int == nil && view.double == double
    case .string: return view.kind == .string
    case .array(let elements):
      guard view.kind == .array, view.count == elements.count, view[elements.count] == nil, view[-1] == nil else { return false }
      let read = Array(view.elements)
      return read.count == elements.count && zip(read, elements).allSatisfy(holds)
        && elements.indices.allSatisfy { view[$0].map { $0.rawBytes.baseAddress } == read[$0].rawBytes.baseAddress }
    case .object(let members):
      guard view.kind == .object else { return false }
      let read = Array(view.members)
      guard read.count == view.count, Set(read.map(\.name)) == Set(members.keys) else { return false }
      // Names of equal characters in different bytes are one in a value and two in a view.
      guard Set(read.map { Array($0.name.utf8) }).count == members.count else { return true }
      return members.allSatisfy { name, member in view[name].map { holds($0, member) } ?? false }
    }
  }

  /// Equal, where numbers are compared as numbers, and infinity as the null that it is written as.
  static func equal(_ a: JSONValue, _ b: JSONValue) -> Bool {
    switch (a, b) {
    case (.double(let a), .null): !a.isFinite
    case (.int, .int): a == b
    case (.int, .double), (.double, .int), (.double, .double): a.double == b.double
    case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy(equal)
    case (.object(let a), .object(let b)): a.keys.elementsEqual(b.keys) && zip(a.values, b.values).allSatisfy(equal)
    default: a == b
    }
  }
}
