internal import JSON

/// No text that an expression makes may be longer.
let maximumTextBytes = 16 << 20
/// No list that an expression makes may have more elements.
let maximumElements = 4 << 20

enum Arithmetic: String {
  case add = "+", subtract = "-", multiply = "*", divide = "/", remainder = "%"

  func callAsFunction(_ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
    switch (a, b) {
    case (.int(let a), .int(let b)): return .int(try integers(a, b))
    case (.uint(let a), .uint(let b)): return .uint(try integers(a, b))
    case (.double(let x), .double(let y)):
      switch self {
      case .add: return .double(x + y)
      case .subtract: return .double(x - y)
      case .multiply: return .double(x * y)
      case .divide: return .double(x / y)
      case .remainder: throw noOverload(rawValue, [a, b])
      }
    default: break
    }
    switch self {
    case .add: return try sum(a, b)
    case .subtract: return try difference(a, b)
    default: throw noOverload(rawValue, [a, b])
    }
  }

  private func integers<I: FixedWidthInteger>(_ a: I, _ b: I) throws(CELError) -> I {
    let result: (partialValue: I, overflow: Bool)
    switch self {
    case .add: result = a.addingReportingOverflow(b)
    case .subtract: result = a.subtractingReportingOverflow(b)
    case .multiply: result = a.multipliedReportingOverflow(by: b)
    case .divide:
      guard b != 0 else { throw CELError("division by zero") }
      result = a.dividedReportingOverflow(by: b)
    case .remainder:
      guard b != 0 else { throw CELError("modulus by zero") }
      result = a.remainderReportingOverflow(dividingBy: b)
    }
    guard !result.overflow else { throw CELError("integer overflow: the result of \(rawValue) is out of range") }
    return result.partialValue
  }

  private func sum(_ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
    switch (a, b) {
    case (.bytes(let a), .bytes(let b)): return .bytes(a + b)
    case (.timestamp(let time), .duration(let span)), (.duration(let span), .timestamp(let time)):
      guard let sum = time.adding(span) else { throw CELError("range error: the timestamp is out of range") }
      return .timestamp(sum)
    case (.duration(let a), .duration(let b)):
      let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
      guard !overflow else { throw CELError("range error: the duration is out of range") }
      return .duration(CELDuration(nanoseconds: sum))
    default: break
    }
    if let x = a.string, let y = b.string { return .string(x + y) }
    if let x = a.elements, let y = b.elements { return .list(x + y) }
    throw noOverload(rawValue, [a, b])
  }

  private func difference(_ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
    switch (a, b) {
    case (.timestamp(let a), .timestamp(let b)):
      guard let span = a.since(b) else { throw CELError("range error: the duration is out of range") }
      return .duration(span)
    case (.timestamp(let time), .duration(let span)):
      guard span.nanoseconds != .min, let result = time.adding(CELDuration(nanoseconds: -span.nanoseconds)) else {
        throw CELError("range error: the timestamp is out of range")
      }
      return .timestamp(result)
    case (.duration(let a), .duration(let b)):
      let (result, overflow) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
      guard !overflow else { throw CELError("range error: the duration is out of range") }
      return .duration(CELDuration(nanoseconds: result))
    default: throw noOverload(rawValue, [a, b])
    }
  }
}
