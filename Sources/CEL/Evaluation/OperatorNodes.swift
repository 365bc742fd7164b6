internal import JSON
internal import OrderedCollections

final class LogicalNode: Node, @unchecked Sendable {
  let and: Bool
  let operands: [Node]

  init(and: Bool, _ operands: [Node], offset: Int) {
    self.and = and
    self.operands = operands
    super.init(offset: offset)
  }

  /// Commutative: a deciding operand wins over an error of any other.
  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    var failure: CELError?
    for operand in operands {
      do throws(CELError) {
        if try operand.bool(&frame, and ? "_&&_" : "_||_") != and { return .bool(!and) }
      } catch {
        if error.kind == .costExceeded { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return .bool(and)
  }
}

extension Frame {
  /// Charges what the comparison took.
  mutating func isEqual(_ a: CELValue, _ b: CELValue) throws(CELError) -> Bool {
    let most = Int(clamping: limit > cost ? limit - cost : 0)
    var steps = most
    let equal = CEL.isEqual(a, b, &steps)
    if steps < most { try charge(UInt64(most) - UInt64(max(steps, 0)) + (steps < 0 ? 1 : 0)) }
    return equal
  }
}

final class NotNode: Node, @unchecked Sendable {
  let operand: Node

  init(_ operand: Node, offset: Int) {
    self.operand = operand
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    try frame.charge(1)
    return .bool(!(try operand.bool(&frame, "!_")))
  }
}

final class NegateNode: Node, @unchecked Sendable {
  let operand: Node

  init(_ operand: Node, offset: Int) {
    self.operand = operand
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let value = try operand.evaluate(&frame)
    try frame.charge(1)
    switch value {
    case .int(let int):
      guard int != .min else { throw CELError(.evaluation, "integer overflow: the result of - is out of range", at: offset) }
      return .int(-int)
    case .double(let double): return .double(-double)
    case .duration(let span) where span.nanoseconds != .min: return .duration(CELDuration(nanoseconds: -span.nanoseconds))
    default: throw noOverload("-_", [value]).at(offset)
    }
  }
}

final class ConditionalNode: Node, @unchecked Sendable {
  let condition: Node
  let yes: Node
  let no: Node

  init(_ condition: Node, _ yes: Node, _ no: Node, offset: Int) {
    self.condition = condition
    self.yes = yes
    self.no = no
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    try condition.bool(&frame, "_?_:_") ? yes.evaluate(&frame) : no.evaluate(&frame)
  }
}

final class EqualNode: Node, @unchecked Sendable {
  let left: Node
  let right: Node
  let negated: Bool

  init(_ left: Node, _ right: Node, negated: Bool, offset: Int) {
    self.left = left
    self.right = right
    self.negated = negated
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let a = try left.evaluate(&frame)
    let b = try right.evaluate(&frame)
    try frame.charge(1)
    return .bool(try frame.isEqual(a, b) != negated)
  }
}

final class CompareNode: Node, @unchecked Sendable {
  let left: Node
  let right: Node
  let symbol: String
  private let less: Bool
  private let orEqual: Bool

  init(_ left: Node, _ right: Node, symbol: String, offset: Int) {
    self.left = left
    self.right = right
    self.symbol = symbol
    less = symbol.hasPrefix("<")
    orEqual = symbol.hasSuffix("=")
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let a = try left.evaluate(&frame)
    let b = try right.evaluate(&frame)
    try frame.charge(1)
    try frame.charge(traversing: min(a.quickSize, b.quickSize))
    do throws(CELError) {
      guard let order = try compare(a, b, symbol) else { return .bool(false) }
      return .bool(order == 0 ? orEqual : (order < 0) == less)
    } catch {
      throw error.at(offset)
    }
  }
}

final class ArithmeticNode: Node, @unchecked Sendable {
  let left: Node
  let right: Node
  let operation: Arithmetic

  init(_ left: Node, _ right: Node, _ operation: Arithmetic, offset: Int) {
    self.left = left
    self.right = right
    self.operation = operation
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let a = try left.evaluate(&frame)
    let b = try right.evaluate(&frame)
    try frame.charge(1)
    if operation == .add {
      let size = a.quickSize + b.quickSize
      if size > 0 {
        guard size <= maximumTextBytes, !a.isList || size <= maximumElements else {
          throw CELError(.evaluation, "the result of + is longer than allowed", at: offset)
        }
        try frame.charge(traversing: size)
      }
    }
    do throws(CELError) { return try operation(a, b) } catch { throw error.at(offset) }
  }
}

final class InNode: Node, @unchecked Sendable {
  let left: Node
  let right: Node

  init(_ left: Node, _ right: Node, offset: Int) {
    self.left = left
    self.right = right
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let element = try left.evaluate(&frame)
    let container = try right.evaluate(&frame)
    try frame.charge(1)
    switch container {
    case .map(let map): return .bool(CELKey(lookup: element).map { map.entries[$0] != nil } ?? false)
    case .json(let view) where view.kind == .object: return .bool(element.string.map { view[$0] != nil } ?? false)
    case .list, .json:
      guard container.isList else { break }
      var iterator = ElementIterator(container)
      while let candidate = iterator.next() {
        try frame.charge(1)
        if try frame.isEqual(element, candidate) { return .bool(true) }
      }
      return .bool(false)
    default: break
    }
    throw noOverload("@in", [element, container]).at(offset)
  }
}

final class ListNode: Node, @unchecked Sendable {
  let elements: [Node]
  let optionals: Set<Int>

  init(_ elements: [Node], optionals: Set<Int>, offset: Int) {
    self.elements = elements
    self.optionals = optionals
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    try frame.charge(10)
    var values: [CELValue] = []
    values.reserveCapacity(elements.count)
    for (i, element) in elements.enumerated() {
      let value = try element.evaluate(&frame)
      if !optionals.isEmpty, optionals.contains(i) {
        guard case .optional(let inner) = value else {
          throw CELError(.evaluation, "an element with '?' must be optional", at: element.offset)
        }
        if let inner { values.append(inner) }
      } else {
        values.append(value)
      }
    }
    return .list(values)
  }
}

final class MapNode: Node, @unchecked Sendable {
  let entries: [(key: Node, value: Node, optional: Bool)]

  init(_ entries: [(key: Node, value: Node, optional: Bool)], offset: Int) {
    self.entries = entries
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    try frame.charge(30)
    var map = CELMap.Entries(minimumCapacity: entries.count)
    for (keyNode, valueNode, optional) in entries {
      let keyValue = try keyNode.evaluate(&frame)
      guard let key = CELKey(keyValue) else {
        throw CELError(.evaluation, "unsupported key type: '\(keyValue.type)'", at: keyNode.offset)
      }
      var value = try valueNode.evaluate(&frame)
      if optional {
        guard case .optional(let inner) = value else {
          throw CELError(.evaluation, "an entry with '?' must be optional", at: valueNode.offset)
        }
        guard let inner else { continue }
        value = inner
      }
      guard map.updateValue(value, forKey: key) == nil else {
        throw CELError(.evaluation, "repeated key: \(keyValue.debugText)", at: keyNode.offset)
      }
    }
    return .map(CELMap(map))
  }
}

/// Turns JSON into what the declared schema says it is: text into timestamps, durations and bytes, whole numbers into doubles.
final class CoerceNode: Node, @unchecked Sendable {
  let operand: Node
  let type: CELType

  init(_ operand: Node, _ type: CELType, offset: Int) {
    self.operand = operand
    self.type = type
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    do throws(CELError) { return try coerce(try operand.evaluate(&frame), to: type) } catch { throw error.at(offset) }
  }
}

extension CELValue {
  /// Bytes of a text, elements of a list, 0 for scalars; what comparing or joining has to walk over.
  @inline(__always)
  var quickSize: Int {
    switch self {
    case .string(let value): value.utf8.count
    case .bytes(let value): value.count
    case .list(let elements): elements.count
    case .map(let map): map.entries.count
    case .json(let view): view.kind == .string ? view.rawBytes.count : view.count
    default: 0
    }
  }
}
