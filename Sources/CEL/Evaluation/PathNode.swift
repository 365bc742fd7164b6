internal import JSON

/// `variable.a.b.c`, the most common expression: walks over JSON without making a value of each step.
final class PathNode: Node, @unchecked Sendable {
  let variable: String
  let names: [MemberName]
  /// Those of `names`: walking over them counts no references.
  private let keys: [UnsafeBufferPointer<UInt8>]
  private let offsets: [Int]

  init(_ variable: VariableNode, _ name: String, offset: Int) {
    self.variable = variable.name
    names = [MemberName(name)]
    keys = names.map(\.bytes)
    offsets = [variable.offset, offset]
    super.init(offset: offset)
  }

  init(_ path: PathNode, _ name: String, offset: Int) {
    variable = path.variable
    names = path.names + [MemberName(name)]
    keys = names.map(\.bytes)
    offsets = path.offsets + [offset]
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    try frame.charge(UInt64(names.count) + 1)
    guard let value = frame.variables[variable] else {
      throw CELError(.evaluation, "the variable '\(variable)' has no value", at: offsets[0])
    }
    var done = 0
    if case .json(var view) = value {
      while done < keys.count, let member = view.member(named: keys[done]) {
        view = member
        done += 1
      }
      if done == names.count { return CELValue(view) }
      return try slow(CELValue(view), from: done)
    }
    return try slow(value, from: 0)
  }

  /// Maps, optionals, and the error for a missing member.
  private func slow(_ start: CELValue, from first: Int) throws(CELError) -> CELValue {
    var value = start
    for i in first..<names.count {
      do throws(CELError) {
        if case .optional(let inner) = value {
          value = .optional(try inner.flatMap { inner throws(CELError) in try names[i].look(in: inner) })
          continue
        }
        guard let next = try names[i].look(in: value) else { throw CELError("no such key: \(names[i].text)") }
        value = next
      } catch {
        throw error.at(offsets[i + 1])
      }
    }
    return value
  }
}
