internal import JSON

#if canImport(Glibc)
  internal import Glibc
#endif

extension Library {
  static let math: [CELFunction] =
    extremes("math.greatest", 1) + extremes("math.least", -1) + rounding + bits + [
      .unary("math.abs", .int, .int) { value throws(CELError) in
        guard int(value) != .min else { throw CELError("integer overflow: the result of math.abs is out of range") }
        return .int(abs(int(value)))
      },
      .unary("math.abs", .uint, .uint) { value throws(CELError) in value },
      .unary("math.abs", .double, .double) { value throws(CELError) in .double(abs(double(value))) },
      .unary("math.sign", .int, .int) { value throws(CELError) in .int(int(value).signum()) },
      .unary("math.sign", .uint, .uint) { value throws(CELError) in .uint(uint(value).signum()) },
      .unary("math.sign", .double, .double) { value throws(CELError) in
        let value = double(value)
        return .double(value.isNaN ? .nan : value > 0 ? 1 : value < 0 ? -1 : 0)
      },
      .unary("math.isNaN", .double, .bool) { value throws(CELError) in .bool(double(value).isNaN) },
      .unary("math.isInf", .double, .bool) { value throws(CELError) in .bool(double(value).isInfinite) },
      .unary("math.isFinite", .double, .bool) { value throws(CELError) in .bool(double(value).isFinite) },
      .unary("math.sqrt", .double, .double) { value throws(CELError) in .double(double(value).squareRoot()) },
      .unary("math.sqrt", .int, .double) { value throws(CELError) in .double(Double(int(value)).squareRoot()) },
      .unary("math.sqrt", .uint, .double) { value throws(CELError) in .double(Double(uint(value)).squareRoot()) },
    ]

  private static func double(_ value: CELValue) -> Double { if case .double(let value) = value { value } else { 0 } }
  private static func uint(_ value: CELValue) -> UInt64 { if case .uint(let value) = value { value } else { 0 } }

  private static let rounding: [CELFunction] = [
    .unary("math.ceil", .double, .double) { value throws(CELError) in .double(double(value).rounded(.up)) },
    .unary("math.floor", .double, .double) { value throws(CELError) in .double(double(value).rounded(.down)) },
    .unary("math.round", .double, .double) { value throws(CELError) in .double(double(value).rounded(.toNearestOrAwayFromZero)) },
    .unary("math.trunc", .double, .double) { value throws(CELError) in .double(double(value).rounded(.towardZero)) },
  ]

  private static let bits: [CELFunction] =
    [("math.bitAnd", 0), ("math.bitOr", 1), ("math.bitXor", 2)].flatMap { name, which in
      [
        CELFunction.binary(name, .int, .int, .int) { a, b throws(CELError) in .int(combined(int(a), int(b), which)) },
        CELFunction.binary(name, .uint, .uint, .uint) { a, b throws(CELError) in .uint(combined(uint(a), uint(b), which)) },
      ]
    } + [
      .unary("math.bitNot", .int, .int) { value throws(CELError) in .int(~int(value)) },
      .unary("math.bitNot", .uint, .uint) { value throws(CELError) in .uint(~uint(value)) },
      .binary("math.bitShiftLeft", .int, .int, .int) { value, by throws(CELError) in
        .int(Int64(bitPattern: UInt64(bitPattern: int(value)) << (try offset(by))))
      },
      .binary("math.bitShiftLeft", .uint, .int, .uint) { value, by throws(CELError) in .uint(uint(value) << (try offset(by))) },
      // Logical: the sign is a bit like others.
      .binary("math.bitShiftRight", .int, .int, .int) { value, by throws(CELError) in
        .int(Int64(bitPattern: UInt64(bitPattern: int(value)) >> (try offset(by))))
      },
      .binary("math.bitShiftRight", .uint, .int, .uint) { value, by throws(CELError) in .uint(uint(value) >> (try offset(by))) },
    ]

  private static func combined<I: FixedWidthInteger>(_ a: I, _ b: I, _ which: Int) -> I { which == 0 ? a & b : which == 1 ? a | b : a ^ b }

  private static func offset(_ value: CELValue) throws(CELError) -> Int64 {
    guard int(value) >= 0 else { throw CELError("negative offset: \(int(value))") }
    return min(int(value), 64)
  }

  /// Numbers, or one list of numbers.
  private static func extremes(_ name: String, _ sign: Int) -> [CELFunction] {
    let body: CELFunction.Body = { values throws(CELError) in
      var best: CELValue?
      for value in values {
        switch value {
        case .int, .uint, .double: break
        default: throw noOverload(name, values)
        }
        if let current = best {
          if compareNumbers(value, current) == sign { best = value }
        } else {
          best = value
        }
      }
      guard let best else { throw CELError("\(name)(list) argument must not be empty") }
      return best
    }
    var functions: [CELFunction] = []
    let numbers: [CELType] = [.int, .uint, .double]
    for type in numbers {
      var same = CELFunction.many(name, [type], type, cost: .traverse, body)
      same.isVariadic = true
      functions.append(same)
      functions.append(.unary(name, .list(type), type, cost: .traverse) { value throws(CELError) in try body(value.elements ?? []) })
    }
    var mixed = CELFunction.many(name, [number], .dyn, cost: .traverse, body)
    mixed.isVariadic = true
    mixed.isFallback = true
    functions.append(mixed)
    mixed = .unary(name, .list(number), .dyn, cost: .traverse) { value throws(CELError) in try body(value.elements ?? []) }
    mixed.isFallback = true
    functions.append(mixed)
    return functions
  }
}
