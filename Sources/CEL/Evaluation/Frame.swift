/// The state of one evaluation.
struct Frame {
  let variables: CELVariables
  /// What macros bind; nil before a lazy binding was needed.
  var locals: [CELValue?]
  var cost: UInt64 = 0
  let limit: UInt64

  @inline(__always)
  mutating func charge(_ amount: UInt64) throws(CELError) {
    cost &+= amount
    if cost > limit { throw exceeded() }
  }

  @inline(never)
  private func exceeded() -> CELError { CELError(.costExceeded, "the evaluation cost more than the limit of \(limit)") }

  /// For walking over text or elements: a tenth for each, as Kubernetes counts.
  @inline(__always)
  mutating func charge(traversing count: Int) throws(CELError) { try charge(UInt64((count + 9) / 10)) }
}

/// What is known of a compiled piece of an expression: evaluates itself. Immutable after the program was compiled.
class Node: @unchecked Sendable {
  /// Bytes from the start of the source.
  let offset: Int

  init(offset: Int) { self.offset = offset }

  func evaluate(_ frame: inout Frame) throws(CELError) -> CELValue { fatalError("abstract") }

  /// The value of `has(self.name)` operands and of `self.?name`: as ``evaluate(_:)``.
  final func bool(_ frame: inout Frame, _ symbol: String) throws(CELError) -> Bool {
    let value = try evaluate(&frame)
    if case .bool(let bool) = value { return bool }
    throw noOverload(symbol, [value]).at(offset)
  }
}
