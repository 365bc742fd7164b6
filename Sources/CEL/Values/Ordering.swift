internal import JSON

/// -1, 0 or 1; nil for NaN. Throws where the language has no order: lists, maps, null, values of different kinds.
func compare(_ a: CELValue, _ b: CELValue, _ symbol: String) throws(CELError) -> Int? {
  func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }
  switch (a, b) {
  case (.int(let a), .int(let b)): return order(a, b)
  case (.bool(let a), .bool(let b)): return a == b ? 0 : (a ? 1 : -1)
  case (.int, .uint), (.int, .double), (.uint, .int), (.uint, .uint), (.uint, .double), (.double, .int), (.double, .uint),
    (.double, .double):
    return compareNumbers(a, b)
  case (.bytes(let a), .bytes(let b)): return a == b ? 0 : bytesPrecede(a, b) ? -1 : 1
  case (.timestamp(let a), .timestamp(let b)): return order(a, b)
  case (.duration(let a), .duration(let b)): return order(a, b)
  case (.opaque(let a), .opaque(let b)):
    if let order = (a as? any CELOrdered)?.compare(to: b) { return order }
  default: break
  }
  if let a = a.string, let b = b.string { return sameText(a, b) ? 0 : textPrecedes(a, b) ? -1 : 1 }
  throw noOverload(symbol, [a, b])
}

/// An opaque value with an order that `<` and `sort` may use.
protocol CELOrdered: CELOpaque {
  /// -1, 0 or 1; nil when the other is of another type.
  func compare(to other: any CELOpaque) -> Int?
}

func noOverload(_ name: String, _ arguments: [CELValue]) -> CELError {
  CELError("no such overload: \(name)(\(arguments.map { $0.type.description }.joined(separator: ", ")))")
}
