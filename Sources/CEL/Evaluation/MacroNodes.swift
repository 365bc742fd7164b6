internal import JSON
internal import OrderedCollections

/// Walks a list's elements or a map's keys; with two variables index and element, or key and value.
struct RangeIterator {
  private var elements: ElementIterator
  private let map: CELMap?
  private var index: Int64 = 0

  /// Throws unless the value has elements.
  init(_ range: CELValue, pairs: Bool, offset: Int) throws(CELError) {
    if range.isList {
      elements = ElementIterator(range)
      map = nil
    } else if range.isMap {
      let whole = CEL.map(range)
      elements = ElementIterator(.map(whole))
      map = pairs ? whole : nil
    } else {
      throw CELError(.evaluation, "no such overload: a value of type '\(range.type)' is no range", at: offset)
    }
  }

  mutating func next() -> CELValue? { elements.next() }

  /// The pair of variables.
  mutating func nextPair() -> (CELValue, CELValue)? {
    guard let element = elements.next() else { return nil }
    if let map { return (element, map.entries[CELKey(element)!] ?? .null) }
    defer { index += 1 }
    return (.int(index), element)
  }

  /// Puts the next element or pair into its slots; false at the end.
  mutating func bind(_ slots: [Int], _ frame: inout Frame) -> Bool {
    if slots.count == 1 {
      guard let element = next() else { return false }
      frame.locals[slots[0]] = element
    } else {
      guard let (first, second) = nextPair() else { return false }
      frame.locals[slots[0]] = first
      frame.locals[slots[1]] = second
    }
    return true
  }
}

/// `all`, `exists`, `exists_one`.
final class QuantifierNode: Node, @unchecked Sendable {
  enum Kind { case all, exists, existsOne }

  let kind: Kind
  let range: Node
  let slots: [Int]
  let predicate: Node

  init(_ kind: Kind, range: Node, slots: [Int], predicate: Node, offset: Int) {
    self.kind = kind
    self.range = range
    self.slots = slots
    self.predicate = predicate
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    var iterator = try RangeIterator(try range.evaluate(&frame), pairs: slots.count == 2, offset: offset)
    var failure: CELError?
    var count = 0
    while iterator.bind(slots, &frame) {
      try frame.charge(2)
      do throws(CELError) {
        let holds = try predicate.bool(&frame, kind == .all ? "_&&_" : "_||_")
        switch kind {
        case .all: if !holds { return .bool(false) }
        case .exists: if holds { return .bool(true) }
        case .existsOne: if holds { count += 1 }
        }
      } catch {
        // As in && and ||, a deciding element wins over errors of others.
        if kind == .existsOne || error.kind == .costExceeded { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    switch kind {
    case .all: return .bool(true)
    case .exists: return .bool(false)
    case .existsOne: return .bool(count == 1)
    }
  }
}

/// `filter`, `map` and `transformList`.
final class ListTransformNode: Node, @unchecked Sendable {
  let range: Node
  let slots: [Int]
  let predicate: Node?
  /// nil keeps the element, as `filter` does.
  let transform: Node?

  init(range: Node, slots: [Int], predicate: Node?, transform: Node?, offset: Int) {
    self.range = range
    self.slots = slots
    self.predicate = predicate
    self.transform = transform
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    var iterator = try RangeIterator(try range.evaluate(&frame), pairs: slots.count == 2, offset: offset)
    try frame.charge(10)
    var out: [CELValue] = []
    while iterator.bind(slots, &frame) {
      try frame.charge(2)
      if let predicate, !(try predicate.bool(&frame, "_?_:_")) { continue }
      guard out.count < maximumElements else { throw CELError(.evaluation, "the list is longer than allowed", at: offset) }
      if let transform {
        out.append(try transform.evaluate(&frame))
      } else {
        out.append(frame.locals[slots[0]]!)
      }
    }
    return .list(out)
  }
}

/// `transformMap` and `transformMapEntry`.
final class MapTransformNode: Node, @unchecked Sendable {
  let range: Node
  let slots: [Int]
  let predicate: Node?
  let transform: Node
  /// The transform gives a map whose entries are added, instead of a value for the same key.
  let entries: Bool

  init(range: Node, slots: [Int], predicate: Node?, transform: Node, entries: Bool, offset: Int) {
    self.range = range
    self.slots = slots
    self.predicate = predicate
    self.transform = transform
    self.entries = entries
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    var iterator = try RangeIterator(try range.evaluate(&frame), pairs: true, offset: offset)
    try frame.charge(30)
    var out = CELMap.Entries()
    while iterator.bind(slots, &frame) {
      try frame.charge(2)
      let key = frame.locals[slots[0]]!
      if let predicate, !(try predicate.bool(&frame, "_?_:_")) { continue }
      let value = try transform.evaluate(&frame)
      guard out.count < maximumElements else { throw CELError(.evaluation, "the map is larger than allowed", at: offset) }
      guard entries else {
        out[CELKey(key)!] = value
        continue
      }
      guard value.isMap else { throw noOverload("transformMapEntry", [value]).at(offset) }
      for (name, entry) in map(value).entries {
        try frame.charge(1)
        guard out.updateValue(entry, forKey: name) == nil else {
          throw CELError(.evaluation, "repeated key: \(name.value.debugText)", at: offset)
        }
      }
    }
    return .map(CELMap(out))
  }
}

/// `cel.bind` and `cel.block`: slots that are filled at their first use.
final class BindNode: Node, @unchecked Sendable {
  let slots: [Int]
  /// What the slots are filled with, for estimates.
  let initializers: [Node]
  let body: Node

  init(slots: [Int], initializers: [Node], body: Node, offset: Int) {
    self.slots = slots
    self.initializers = initializers
    self.body = body
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    for slot in slots { frame.locals[slot] = nil }
    return try body.evaluate(&frame)
  }
}

/// `optMap` and `optFlatMap`.
final class OptionalMapNode: Node, @unchecked Sendable {
  let target: Node
  let slot: Int
  let body: Node
  let flat: Bool

  init(target: Node, slot: Int, body: Node, flat: Bool, offset: Int) {
    self.target = target
    self.slot = slot
    self.body = body
    self.flat = flat
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let value = try target.evaluate(&frame)
    try frame.charge(1)
    guard case .optional(let inner) = value else { throw noOverload(flat ? "optFlatMap" : "optMap", [value]).at(offset) }
    guard let inner else { return .optional(nil) }
    frame.locals[slot] = inner
    let result = try body.evaluate(&frame)
    if !flat { return .optional(result) }
    guard case .optional = result else { throw noOverload("optFlatMap", [result]).at(offset) }
    return result
  }
}

/// `list.sortBy(x, key)`: stable.
final class SortByNode: Node, @unchecked Sendable {
  let range: Node
  let slot: Int
  let key: Node

  init(range: Node, slot: Int, key: Node, offset: Int) {
    self.range = range
    self.slot = slot
    self.key = key
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    guard let elements = try range.evaluate(&frame).elements else {
      throw CELError(.evaluation, "no such overload: sortBy needs a list", at: offset)
    }
    var keys: [CELValue] = []
    for element in elements {
      try frame.charge(2)
      frame.locals[slot] = element
      keys.append(try key.evaluate(&frame))
    }
    try frame.charge(UInt64(elements.count) * UInt64(max(1, elements.count.bitWidth - elements.count.leadingZeroBitCount)))
    do throws(CELError) { return .list(try sortedOrder(keys, "sortBy").map { elements[$0] }) } catch { throw error.at(offset) }
  }
}

/// The indices of the keys in ascending order, equal ones in their own order. Throws when two cannot be compared.
func sortedOrder(_ keys: [CELValue], _ name: String) throws(CELError) -> [Int] {
  guard let first = keys.first else { return [] }
  for key in keys {
    guard key.type.name == first.type.name else { throw CELError("list elements must have the same type to be sorted") }
    _ = try compare(first, key, name)
  }
  return keys.indices.sorted { a, b in
    let order = (try? compare(keys[a], keys[b], name)) ?? 0
    return order == 0 ? a < b : order < 0
  }
}
