internal import JSON
internal import OrderedCollections

#if canImport(Glibc)
  internal import Glibc
#endif

/// `==` of the language: numbers by value whatever their types, different kinds are unequal, never an error.
func isEqual(_ a: CELValue, _ b: CELValue) -> Bool {
  var steps = Int.max
  return isEqual(a, b, &steps)
}

/// As `isEqual`, at most that many steps: then the answer means nothing and `steps` is negative. A step is an element, an entry, or ten bytes of text.
func isEqual(_ a: CELValue, _ b: CELValue, _ steps: inout Int) -> Bool {
  switch (a, b) {
  case (.string(let a), .string(let b)):
    steps -= min(a.utf8.count, b.utf8.count) / 10
    return sameText(a, b)
  case (.json(let a), .string(let b)), (.string(let b), .json(let a)): return isEqual(a, b)
  case (.int(let a), .int(let b)): return a == b
  case (.bool(let a), .bool(let b)): return a == b
  case (.null, .null): return true
  case (.uint(let a), .uint(let b)): return a == b
  case (.double(let a), .double(let b)): return a == b
  case (.int, .uint), (.int, .double), (.uint, .int), (.uint, .double), (.double, .int), (.double, .uint): return compareNumbers(a, b) == 0
  case (.bytes(let a), .bytes(let b)): return a == b
  case (.timestamp(let a), .timestamp(let b)): return a == b
  case (.duration(let a), .duration(let b)): return a == b
  case (.type(let a), .type(let b)): return a.name == b.name
  case (.optional(let a), .optional(let b)):
    switch (a, b) {
    case (nil, nil): return true
    case (let a?, let b?): return isEqual(a, b, &steps)
    default: return false
    }
  case (.opaque(let a), .opaque(let b)): return a === b || (a.typeName == b.typeName && a.isEqual(to: b))
  case (.json(let a), .json(let b)) where a.kind == .string && b.kind == .string:
    guard let a = a.string, let b = b.string else { return false }
    return sameText(a, b)
  default: break
  }
  if let count = listCount(a), let other = listCount(b) {
    guard count == other else { return false }
    var left = ElementIterator(a)
    var right = ElementIterator(b)
    while let x = left.next(), let y = right.next() {
      steps -= 1
      guard steps >= 0, isEqual(x, y, &steps) else { return false }
    }
    return true
  }
  if a.isMap, b.isMap {
    let left = map(a)
    let right = map(b)
    guard left.entries.count == right.entries.count else { return false }
    for (key, value) in left.entries {
      steps -= 1
      guard steps >= 0, let other = right.entries[key], isEqual(value, other, &steps) else { return false }
    }
    return true
  }
  return false
}

/// Compares without decoding where the JSON text has no escapes.
private func isEqual(_ view: JSONView, _ text: String) -> Bool {
  guard view.kind == .string else { return false }
  let raw = view.rawBytes
  return text.withBytes { bytes in
    if raw.count == bytes.count {
      // Equal bytes with a backslash inside are an escape: they mean something else than the text.
      guard raw.count > 0 else { return true }
      return memcmp(raw.baseAddress!, bytes.baseAddress!, raw.count) == 0 && memchr(raw.baseAddress!, 0x5C, raw.count) == nil
    }
    guard raw.count > bytes.count, memchr(raw.baseAddress!, 0x5C, raw.count) != nil else { return false }
    return sameText(view.string!, text)
  }
}

/// -1, 0, 1, or nil when one is not a number.
func compareNumbers(_ a: CELValue, _ b: CELValue) -> Int? {
  func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }
  switch (a, b) {
  case (.int(let a), .int(let b)): return order(a, b)
  case (.uint(let a), .uint(let b)): return order(a, b)
  case (.double(let a), .double(let b)): return a.isNaN || b.isNaN ? nil : order(a, b)
  case (.int(let a), .uint(let b)): return a < 0 ? -1 : order(UInt64(a), b)
  case (.uint(let a), .int(let b)): return b < 0 ? 1 : order(a, UInt64(b))
  case (.int(let a), .double(let b)): return compare(a, b)
  case (.double(let a), .int(let b)): return compare(b, a).map { -$0 }
  case (.uint(let a), .double(let b)): return compare(a, b)
  case (.double(let a), .uint(let b)): return compare(b, a).map { -$0 }
  default: return nil
  }
}

private func compare<I: FixedWidthInteger>(_ a: I, _ b: Double) -> Int? {
  if b.isNaN { return nil }
  // As the conformance data has it: within the integers' range the integer is rounded to a double.
  if b > Double(I.max) { return -1 }
  if b < Double(I.min) { return 1 }
  let a = Double(a)
  return a < b ? -1 : a == b ? 0 : 1
}

/// nil unless this is a list, in either form.
func listCount(_ value: CELValue) -> Int? {
  switch value {
  case .list(let elements): elements.count
  case .json(let view) where view.kind == .array: view.count
  default: nil
  }
}

/// The map of a value that is one.
func map(_ value: CELValue) -> CELMap {
  switch value {
  case .map(let map): map
  case .json(let view): CELMap(view)
  default: CELMap([:])
  }
}

/// The elements of a list or the keys of a map, in either form; nothing for anything else.
struct ElementIterator: IteratorProtocol {
  private enum State {
    case list(IndexingIterator<[CELValue]>)
    case keys(IndexingIterator<[CELKey]>)
    case json(JSONView.Elements)
  }

  private var state: State

  init(_ value: CELValue) {
    switch value {
    case .list(let elements): state = .list(elements.makeIterator())
    case .json(let view) where view.kind == .array: state = .json(view.elements)
    case .map, .json: state = .keys(Array(map(value).entries.keys).makeIterator())
    default: state = .list([].makeIterator())
    }
  }

  mutating func next() -> CELValue? {
    switch state {
    case .list(var iterator):
      state = .list([].makeIterator())
      let next = iterator.next()
      state = .list(iterator)
      return next
    case .keys(var iterator):
      let next = iterator.next()
      state = .keys(iterator)
      return next?.value
    case .json(var elements):
      let next = elements.next()
      state = .json(elements)
      return next.map { CELValue($0) }
    }
  }
}
