/// `matches` with a literal pattern, compiled with the program.
final class MatchesNode: Node, @unchecked Sendable {
  let operand: Node
  let regex: Regex

  init(_ operand: Node, _ regex: Regex, offset: Int) {
    self.operand = operand
    self.regex = regex
    super.init(offset: offset)
  }

  override func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue {
    let value = try operand.evaluate(&frame)
    guard let text = value.string else { throw noOverload("matches", [value, .string("")]).at(offset) }
    try frame.charge(1 + regex.cost(text.utf8.count))
    return .bool(regex.matches(text))
  }
}

extension Regex {
  /// As Kubernetes counts, and more for repetitions that make a short pattern long.
  func cost(_ bytes: Int) -> UInt64 { UInt64((bytes + 10) / 10) * UInt64(max((pattern.utf8.count + 3) / 4, instructions.count / 16)) }
}
