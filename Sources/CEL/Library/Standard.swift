internal import JSON
internal import OrderedCollections

extension Library {
  static let standard: [CELFunction] =
    sizes + conversions + [
      .unary("type", A, .type) { value throws(CELError) in .type(value.type) },
      .unary("dyn", A, .dyn) { value throws(CELError) in value },
      .binary("matches", member: true, .string, .string, .bool, cost: .regex, matches),
      .binary("matches", .string, .string, .bool, cost: .regex, matches),
    ]

  private static let matches: CELFunction.Binary = { text, pattern throws(CELError) in
    .bool(try Regex.cached(Library.text(pattern)).matches(Library.text(text)))
  }

  private static let sizes: [CELFunction] =
    both(.unary("size", .string, .int, cost: .traverse) { value throws(CELError) in .int(Int64(text(value).scalarCount)) })
    + both(.unary("size", .bytes, .int) { value throws(CELError) in .int(Int64(value.quickSize)) })
    + both(.unary("size", .list(A), .int) { value throws(CELError) in .int(Int64(value.quickSize)) })
    + both(.unary("size", .map(A, B), .int) { value throws(CELError) in .int(Int64(value.quickSize)) })

  private static let conversions: [CELFunction] =
    [CELType.int, .uint, .double, .string, .timestamp, .duration].map { CELFunction.unary("int", $0, .int, Conversions.int) }
    + [CELType.uint, .int, .double, .string].map { CELFunction.unary("uint", $0, .uint, Conversions.uint) }
    + [CELType.string, .bool, .int, .uint, .double, .bytes, .timestamp, .duration].map { type in
      CELFunction.unary("string", type, .string, cost: .traverse) { value throws(CELError) in .string(try Conversions.string(value)) }
    } + [
      .unary("double", .double, .double) { value throws(CELError) in value },
      .unary("double", .int, .double) { value throws(CELError) in .double(Double(int(value))) },
      .unary("double", .uint, .double) { value throws(CELError) in
        guard case .uint(let uint) = value else { return value }
        return .double(Double(uint))
      },
      .unary("double", .string, .double) { value throws(CELError) in try Conversions.double(text(value)) },
      .unary("bool", .bool, .bool) { value throws(CELError) in value },
      .unary("bool", .string, .bool) { value throws(CELError) in try Conversions.bool(text(value)) },
      .unary("bytes", .bytes, .bytes) { value throws(CELError) in value },
      .unary("bytes", .string, .bytes, cost: .traverse) { value throws(CELError) in .bytes(Array(text(value).utf8)) },
      .unary("timestamp", .timestamp, .timestamp) { value throws(CELError) in value },
      .unary("timestamp", .string, .timestamp) { value throws(CELError) in
        guard let time = CELTimestamp(parsing: text(value)) else {
          throw CELError("range error or no RFC 3339 timestamp: '\(text(value).prefix(64))'")
        }
        return .timestamp(time)
      },
      .unary("timestamp", .int, .timestamp) { value throws(CELError) in
        guard let time = CELTimestamp(seconds: int(value)) else { throw CELError("range error: the timestamp is out of range") }
        return .timestamp(time)
      },
      .unary("duration", .duration, .duration) { value throws(CELError) in value },
      .unary("duration", .int, .duration) { value throws(CELError) in .duration(CELDuration(nanoseconds: int(value))) },
      .unary("duration", .string, .duration) { value throws(CELError) in
        guard let span = CELDuration(parsing: text(value)) else {
          throw CELError("range error or no duration: '\(text(value).prefix(64))'")
        }
        return .duration(span)
      },
    ]

  static let optionals: [CELFunction] = [
    .unary("optional.of", A, .optional(A)) { value throws(CELError) in .optional(value) },
    .unary("optional.ofNonZeroValue", A, .optional(A)) { value throws(CELError) in .optional(isZero(value) ? nil : value) },
    .many("optional.none", [], .optional(A)) { _ throws(CELError) in .optional(nil) },
    .unary("hasValue", member: true, .optional(A), .bool) { value throws(CELError) in
      if case .optional(.some) = value { return .bool(true) }
      return .bool(false)
    },
    .unary("value", member: true, .optional(A), A) { value throws(CELError) in
      guard case .optional(let inner?) = value else { throw CELError("optional.none() dereference") }
      return inner
    },
    .binary("or", member: true, .optional(A), .optional(A), .optional(A)) { value, other throws(CELError) in
      if case .optional(.some) = value { return value }
      return other
    },
    .binary("orValue", member: true, .optional(A), A, A) { value, other throws(CELError) in
      if case .optional(let inner?) = value { return inner }
      return other
    },
    .unary("optional.unwrap", .list(.optional(A)), .list(A), cost: .traverse, unwrap),
    .unary("unwrapOpt", member: true, .list(.optional(A)), .list(A), cost: .traverse, unwrap),
    .unary("first", member: true, .list(A), .optional(A)) { value throws(CELError) in .optional(value.elements?.first) },
    .unary("last", member: true, .list(A), .optional(A)) { value throws(CELError) in .optional(value.elements?.last) },
  ]

  private static let unwrap: CELFunction.Unary = { value throws(CELError) in
    var out: [CELValue] = []
    for element in value.elements ?? [] {
      guard case .optional(let inner) = element else { throw noOverload("optional.unwrap", [value]) }
      if let inner { out.append(inner) }
    }
    return .list(out)
  }

  private static func isZero(_ value: CELValue) -> Bool {
    switch value {
    case .null: true
    case .bool(let value): !value
    case .int(let value): value == 0
    case .uint(let value): value == 0
    case .double(let value): value == 0
    case .timestamp(let value): value.seconds == 0 && value.nanoseconds == 0
    case .duration(let value): value.nanoseconds == 0
    case .optional(let inner): inner == nil
    case .string, .bytes, .list, .map, .json: value.quickSize == 0
    case .type, .opaque: false
    }
  }
}
