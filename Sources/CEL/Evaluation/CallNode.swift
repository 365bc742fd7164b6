/// A call of a function by its overloads; the one that takes the arguments' types at run time is called.
final class CallNode: Node, @unchecked Sendable {
  let name: String
  let overloads: [CELFunction]
  let arguments: [Node]

  init(_ name: String, _ overloads: [CELFunction], _ arguments: [Node], offset: Int) {
    self.name = name
    self.overloads = overloads
    self.arguments = arguments
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    if arguments.count == 1 {
      let argument = try arguments[0].evaluate(&frame).settled
      // By index: an overload is not copied to be looked at.
      for i in overloads.indices where overloads[i].parameters[0].accepts(argument) {
        try frame.charge(1)
        if case .unary(let body) = overloads[i].implementation {
          if overloads[i].costsMore { try overloads[i].charge([argument], &frame) }
          do throws(CELError) { return try body(argument) } catch { throw error.at(offset) }
        }
        return try call(overloads[i], [argument], &frame)
      }
      throw noOverload(name, [argument]).at(offset)
    }
    var values: [CELValue] = []
    values.reserveCapacity(arguments.count)
    for argument in arguments { values.append(try argument.evaluate(&frame).settled) }
    for i in overloads.indices where overloads[i].accepts(values) {
      try frame.charge(1)
      return try call(overloads[i], values, &frame)
    }
    throw noOverload(name, values).at(offset)
  }

  private func call(_ overload: CELFunction, _ values: [CELValue], _ frame: inout Frame) throws(CELError) -> CELValue {
    do throws(CELError) {
      try overload.charge(values, &frame)
      switch overload.implementation {
      case .unary(let body): return try body(values[0])
      case .binary(let body): return try body(values[0], values[1])
      case .any(let body): return try body(values)
      case .metered(let body):
        let before = frame.limit > frame.cost ? frame.limit - frame.cost : 0
        var left = before
        let value = try body(values, &left)
        try frame.charge(before - left)
        return value
      }
    } catch {
      throw error.at(offset)
    }
  }
}
