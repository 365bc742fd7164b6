internal import JSON

extension Library {
  static let kubernetes: [CELFunction] = urls + quantities + versions + regularExpressions

  private static func opaque<T: CELOpaque>(_ value: CELValue, _ type: T.Type) throws(CELError) -> T {
    guard case .opaque(let opaque) = value, let typed = opaque as? T else { throw noOverload("opaque", [value]) }
    return typed
  }

  // MARK: URLs

  private static let url = CELType.abstract("kubernetes.URL")

  private static let urls: [CELFunction] = [
    .unary("url", .string, url, cost: .traverse) { value throws(CELError) in
      guard let url = URLValue(text(value)) else {
        throw CELError("URL parse error during conversion from string: '\(text(value).prefix(64))'")
      }
      return .opaque(url)
    },
    .unary("isURL", .string, .bool, cost: .traverse) { value throws(CELError) in .bool(URLValue(text(value)) != nil) },
    .unary("getScheme", member: true, url, .string) { value throws(CELError) in .string(try opaque(value, URLValue.self).scheme) },
    .unary("getHost", member: true, url, .string) { value throws(CELError) in .string(try opaque(value, URLValue.self).host) },
    .unary("getHostname", member: true, url, .string) { value throws(CELError) in .string(try opaque(value, URLValue.self).hostname) },
    .unary("getPort", member: true, url, .string) { value throws(CELError) in .string(try opaque(value, URLValue.self).port) },
    .unary("getEscapedPath", member: true, url, .string) { value throws(CELError) in .string(try opaque(value, URLValue.self).path) },
    .unary("getQuery", member: true, url, .map(.string, .list(.string))) { value throws(CELError) in
      try opaque(value, URLValue.self).parameters
    },
  ]

  // MARK: Quantities

  private static let quantity = CELType.abstract("kubernetes.Quantity")

  private static func order(_ type: CELType, _ name: String, _ test: @escaping @Sendable (Int) -> CELValue, _ result: CELType)
    -> CELFunction
  {
    .binary(name, member: true, type, type, result) { a, b throws(CELError) in test(try compare(a, b, name) ?? 0) }
  }

  private static func ordering(_ type: CELType) -> [CELFunction] {
    [
      order(type, "isLessThan", { .bool($0 < 0) }, .bool), order(type, "isGreaterThan", { .bool($0 > 0) }, .bool),
      order(type, "compareTo", { .int(Int64($0)) }, .int),
    ]
  }

  private static func sum(_ a: CELValue, _ b: Int128) throws(CELError) -> CELValue {
    let (nano, overflow) = try opaque(a, Quantity.self).nano.addingReportingOverflow(b)
    guard !overflow else { throw CELError("the quantity is out of range") }
    return .opaque(Quantity(nano: nano, spelling: nil))
  }

  private static let quantities: [CELFunction] =
    ordering(quantity) + [
      .unary("quantity", .string, quantity, cost: .traverse) { value throws(CELError) in
        guard let quantity = Quantity.parse(text(value)) else { throw CELError("'\(text(value).prefix(64))' is no quantity") }
        return .opaque(quantity)
      },
      .unary("isQuantity", .string, .bool, cost: .traverse) { value throws(CELError) in .bool(Quantity.parse(text(value)) != nil) },
      .unary("sign", member: true, quantity, .int) { value throws(CELError) in .int(Int64(try opaque(value, Quantity.self).nano.signum()))
      },
      .unary("isInteger", member: true, quantity, .bool) { value throws(CELError) in .bool(try opaque(value, Quantity.self).whole != nil) },
      .unary("asInteger", member: true, quantity, .int) { value throws(CELError) in
        guard let whole = try opaque(value, Quantity.self).whole else { throw CELError("cannot convert value to integer") }
        return .int(whole)
      },
      .unary("asApproximateFloat", member: true, quantity, .double) { value throws(CELError) in
        .double(try opaque(value, Quantity.self).approximate)
      },
      .binary("add", member: true, quantity, quantity, quantity) { a, b throws(CELError) in try sum(a, try opaque(b, Quantity.self).nano) },
      .binary("add", member: true, quantity, .int, quantity) { a, b throws(CELError) in try sum(a, Int128(int(b)) * 1_000_000_000) },
      .binary("sub", member: true, quantity, quantity, quantity) { a, b throws(CELError) in try sum(a, -(try opaque(b, Quantity.self).nano))
      },
      .binary("sub", member: true, quantity, .int, quantity) { a, b throws(CELError) in try sum(a, Int128(int(b)) * -1_000_000_000) },
    ]

  // MARK: Versions

  private static let version = CELType.abstract("kubernetes.Semver")

  private static func isTrue(_ value: CELValue) -> Bool { value.bool ?? false }

  private static let versions: [CELFunction] =
    ordering(version) + [
      .unary("semver", .string, version, cost: .traverse) { value throws(CELError) in try parseVersion(text(value), false) },
      .binary("semver", .string, .bool, version, cost: .traverse) { value, normalize throws(CELError) in
        try parseVersion(text(value), isTrue(normalize))
      },
      .unary("isSemver", .string, .bool, cost: .traverse) { value throws(CELError) in
        .bool(SemanticVersion.parse(text(value), normalize: false) != nil)
      },
      .binary("isSemver", .string, .bool, .bool, cost: .traverse) { value, normalize throws(CELError) in
        .bool(SemanticVersion.parse(text(value), normalize: isTrue(normalize)) != nil)
      },
      .unary("major", member: true, version, .int) { value throws(CELError) in .int(try opaque(value, SemanticVersion.self).major) },
      .unary("minor", member: true, version, .int) { value throws(CELError) in .int(try opaque(value, SemanticVersion.self).minor) },
      .unary("patch", member: true, version, .int) { value throws(CELError) in .int(try opaque(value, SemanticVersion.self).patch) },
    ]

  private static func parseVersion(_ text: String, _ normalize: Bool) throws(CELError) -> CELValue {
    guard let version = SemanticVersion.parse(text, normalize: normalize) else {
      throw CELError("'\(text.prefix(64))' is no semantic version")
    }
    return .opaque(version)
  }

  // MARK: Regular expressions

  private static func limit(_ value: CELValue) -> Int { int(value) < 0 ? .max : Int(int(value)) }

  private static func found(_ values: [CELValue], _ limit: Int, _ left: inout UInt64) throws(CELError) -> [CELValue] {
    try Regex.cached(text(values[1])).spans(in: text(values[0]), limit: limit, &left).map { .string($0[0] ?? "") }
  }

  private static func extracted(_ values: [CELValue], _ limit: Int, _ left: inout UInt64) throws(CELError) -> [CELValue] {
    let regex = try Regex.cached(text(values[1]))
    guard regex.groups <= 1 else { throw CELError("the regular expression has more than one capturing group") }
    return try regex.spans(in: text(values[0]), limit: limit, &left).compactMap { $0[regex.groups].map { .string($0) } }
  }

  private static func replaced(_ values: [CELValue], _ limit: Int, _ left: inout UInt64) throws(CELError) -> CELValue {
    .string(try Regex.cached(text(values[1])).replacing(in: text(values[0]), with: text(values[2]), limit: limit, &left))
  }

  private static let regularExpressions: [CELFunction] = [
    .metered("find", member: true, [.string, .string], .string, cost: .regex) { values, left throws(CELError) in
      try found(values, 1, &left).first ?? .string("")
    },
    .metered("findAll", member: true, [.string, .string], .list(.string), cost: .regex) { values, left throws(CELError) in
      .list(try found(values, .max, &left))
    },
    .metered("findAll", member: true, [.string, .string, .int], .list(.string), cost: .regex) { values, left throws(CELError) in
      .list(try found(values, limit(values[2]), &left))
    },
    .metered("regex.extract", [.string, .string], .optional(.string), cost: .regex) { values, left throws(CELError) in
      .optional(try extracted(values, 1, &left).first)
    },
    .metered("regex.extractAll", [.string, .string], .list(.string), cost: .regex) { values, left throws(CELError) in
      .list(try extracted(values, .max, &left))
    },
    .metered("regex.replace", [.string, .string, .string], .string, cost: .regex) { values, left throws(CELError) in
      try replaced(values, .max, &left)
    },
    .metered("regex.replace", [.string, .string, .string, .int], .string, cost: .regex) { values, left throws(CELError) in
      try replaced(values, limit(values[3]), &left)
    },
    .unary("jsonpatch.escapeKey", .string, .string, cost: .traverse) { value throws(CELError) in
      .string(String(decoding: text(value).utf8.flatMap { $0 == 0x7E ? [0x7E, 0x30] : $0 == 0x2F ? [0x7E, 0x31] : [$0] }, as: UTF8.self))
    },
  ]
}
