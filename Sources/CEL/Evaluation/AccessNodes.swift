internal import JSON
internal import OrderedCollections

final class ConstantNode: Node, @unchecked Sendable {
  let value: CELValue

  init(_ value: CELValue, offset: Int) {
    self.value = value
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue { value }
}

final class VariableNode: Node, @unchecked Sendable {
  let name: String

  init(_ name: String, offset: Int) {
    self.name = name
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    try frame.charge(1)
    guard let value = frame.variables[name] else { throw CELError(.evaluation, "the variable '\(name)' has no value", at: offset) }
    return value
  }
}

/// What a macro bound.
final class LocalNode: Node, @unchecked Sendable {
  let slot: Int
  /// Evaluated at the first use, for `cel.bind` and `cel.block`.
  let lazy: Node?

  init(slot: Int, lazy: Node?, offset: Int) {
    self.slot = slot
    self.lazy = lazy
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    try frame.charge(1)
    if let value = frame.locals[slot] { return value }
    guard let lazy else { throw CELError(.evaluation, "the variable has no value", at: offset) }
    let value = try lazy.evaluate(&frame)
    frame.locals[slot] = value
    return value
  }
}

/// A member's name with its UTF-8 at hand.
final class MemberName: @unchecked Sendable {
  let text: String
  let bytes: UnsafeBufferPointer<UInt8>

  init(_ text: String) {
    self.text = text
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(text.utf8.count, 1))
    _ = copy.initialize(from: text.utf8)
    bytes = UnsafeBufferPointer(start: copy.baseAddress, count: text.utf8.count)
  }

  deinit { bytes.deallocate() }

  /// nil when the map has no such entry. Throws unless the value is a map.
  func look(in value: CELValue) throws(CELError) -> CELValue? {
    switch value {
    case .json(let view):
      if let member = view.member(named: bytes) { return CELValue(member) }
      if view.kind == .object { return nil }
    case .map(let map): return map.entries[.string(text)]
    default: break
    }
    throw CELError("no such overload: a value of type '\(value.type)' has no member '\(text)'")
  }
}

final class SelectNode: Node, @unchecked Sendable {
  enum Mode { case plain, optional, test }

  let operand: Node
  let name: MemberName
  let mode: Mode

  init(_ operand: Node, _ name: String, _ mode: Mode, offset: Int) {
    self.operand = operand
    self.name = MemberName(name)
    self.mode = mode
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let value = try operand.evaluate(&frame)
    try frame.charge(1)
    do throws(CELError) {
      // Members of an optional are optional.
      if case .optional(let inner) = value {
        guard let inner, let found = try name.look(in: inner) else { return mode == .test ? .bool(false) : .optional(nil) }
        return mode == .test ? .bool(true) : .optional(found)
      }
      let found = try name.look(in: value)
      switch mode {
      case .plain:
        guard let found else { throw CELError("no such key: \(name.text)") }
        return found
      case .optional: return .optional(found)
      case .test: return .bool(found != nil)
      }
    } catch {
      throw error.at(offset)
    }
  }
}

final class IndexNode: Node, @unchecked Sendable {
  let operand: Node
  let index: Node
  let optional: Bool

  init(_ operand: Node, _ index: Node, optional: Bool, offset: Int) {
    self.operand = operand
    self.index = index
    self.optional = optional
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let value = try operand.evaluate(&frame)
    let key = try index.evaluate(&frame)
    try frame.charge(1)
    do throws(CELError) {
      if case .optional(let inner) = value {
        guard let inner else { return .optional(nil) }
        return .optional(try lookup(key, in: inner))
      }
      let found = try lookup(key, in: value)
      if optional { return .optional(found) }
      guard let found else {
        throw CELError(value.isList ? "index out of bounds: \(key.debugText)" : "no such key: \(key.debugText)")
      }
      return found
    } catch {
      throw error.at(offset)
    }
  }

  /// nil when there is no such entry. Throws when the key cannot be one, or the value has no entries.
  private func lookup(_ key: CELValue, in value: CELValue) throws(CELError) -> CELValue? {
    switch value {
    case .list(let elements):
      let index = try position(key, value)
      return index >= 0 && index < elements.count ? elements[Int(index)] : nil
    case .map(let map):
      guard let key = CELKey(lookup: key) else {
        if case .double = key { return nil }
        throw noOverload("_[_]", [value, key])
      }
      return map.entries[key]
    case .json(let view):
      switch view.kind {
      case .array:
        let index = try position(key, value)
        return index >= 0 && index < view.count ? view[Int(index)].map { CELValue($0) } : nil
      case .object:
        if let name = key.string { return view[name].map { CELValue($0) } }
        switch key {
        case .bool, .int, .uint, .double: return nil
        default: break
        }
      default: break
      }
    default: break
    }
    throw noOverload("_[_]", [value, key])
  }

  private func position(_ key: CELValue, _ list: CELValue) throws(CELError) -> Int64 {
    switch key {
    case .int(let index): return index
    case .uint(let index): return Int64(clamping: index)
    case .double(let index):
      guard let index = Int64(exactly: index) else { throw CELError("invalid list index: \(index) is not a whole number") }
      return index
    default: throw noOverload("_[_]", [list, key])
    }
  }
}

extension CELValue {
  /// Short text for error messages.
  var debugText: String {
    switch self {
    case .null: "null"
    case .bool(let value): String(value)
    case .int(let value): String(value)
    case .uint(let value): String(value)
    case .double(let value): value.description
    case .string, .json: string.map { String($0.prefix(64)) } ?? "a container"
    default: type.description
    }
  }
}
