internal import JSON

#if canImport(Glibc)
  internal import Glibc
#endif

/// The functions `int`, `uint`, `double`, `string`, `bool` …
enum Conversions {
  static func string(_ value: CELValue) throws(CELError) -> String {
    switch value {
    case .bool(let value): return String(value)
    case .int(let value): return String(value)
    case .uint(let value): return String(value)
    case .double(let value): return text(value)
    case .string(let value): return value
    case .json(let view):
      if let string = view.string { return string }
    case .bytes(let bytes):
      guard let text = String(validating: bytes, as: UTF8.self) else { throw CELError("invalid UTF-8 in bytes, cannot convert to string") }
      return text
    case .timestamp(let value): return value.text
    case .duration(let value): return value.text
    case .opaque(let value):
      if let text = value.text { return text }
    case .type(let type): return type.name
    default: break
    }
    throw noOverload("string", [value])
  }

  /// Shortest text that reads back the same; with an exponent where that is below -4 or above 5, as Go prints `%g` and Kubernetes
  /// with it. `format` with `%f` or `%s` writes numbers without exponent.
  static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    let (digits, exponent) = shortest(value)
    let sign = value.sign == .minus ? "-" : ""
    if exponent < -4 || exponent >= 6 {
      let tail = digits.dropFirst()
      let magnitude = abs(exponent)
      return sign + String(digits.first!) + (tail.isEmpty ? "" : "." + tail) + "e" + (exponent < 0 ? "-" : "+")
        + (magnitude < 10 ? "0" : "")
        + String(magnitude)
    }
    return sign + plain(digits, exponent)
  }

  /// Shortest text without an exponent.
  static func plainText(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    let (digits, exponent) = shortest(value)
    return (value.sign == .minus ? "-" : "") + plain(digits, exponent)
  }

  private static func plain(_ digits: String, _ exponent: Int) -> String {
    if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + digits }
    if digits.count <= exponent + 1 { return digits + String(repeating: "0", count: exponent + 1 - digits.count) }
    let point = digits.index(digits.startIndex, offsetBy: exponent + 1)
    return digits[..<point] + "." + digits[point...]
  }

  /// The significant digits and the power of ten of the first.
  private static func shortest(_ value: Double) -> (String, Int) {
    if value == 0 { return ("0", 0) }
    let text = value.magnitude.description
    let parts = text.split(separator: "e")
    var exponent = parts.count > 1 ? Int(parts[1])! : 0
    let mantissa = parts[0].split(separator: ".")
    var whole = String(mantissa[0])
    let fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
    if whole == "0" {
      let zeros = fraction.prefix { $0 == "0" }.count
      exponent -= zeros + 1
      whole = String(fraction.dropFirst(zeros))
    } else {
      exponent += whole.count - 1
      whole += fraction
    }
    while whole.count > 1, whole.last == "0" { whole.removeLast() }
    return (whole, exponent)
  }

  static func int(_ value: CELValue) throws(CELError) -> CELValue {
    switch value {
    case .int: return value
    case .uint(let uint):
      if let int = Int64(exactly: uint) { return .int(int) }
      throw CELError("range error converting \(uint) to int")
    case .double(let double):
      // Both ends of the range are excluded, since they are not exact.
      guard double > -9_223_372_036_854_775_808, double < 9_223_372_036_854_775_808 else {
        throw CELError("range error converting \(double) to int")
      }
      return .int(Int64(double))
    case .string(let text):
      guard let int = Int64(text) else { throw CELError("type conversion error: '\(text.prefix(64))' is no int") }
      return .int(int)
    case .timestamp(let time): return .int(time.seconds)
    case .duration(let span): return .int(span.nanoseconds)
    default: throw noOverload("int", [value])
    }
  }

  static func uint(_ value: CELValue) throws(CELError) -> CELValue {
    switch value {
    case .uint: return value
    case .int(let int):
      guard int >= 0 else { throw CELError("range error converting \(int) to uint") }
      return .uint(UInt64(int))
    case .double(let double):
      guard double >= 0, double < 18_446_744_073_709_551_616 else { throw CELError("range error converting \(double) to uint") }
      return .uint(UInt64(double))
    case .string(let text):
      guard !text.hasPrefix("+"), !text.hasPrefix("-"), let uint = UInt64(text) else {
        throw CELError("type conversion error: '\(text.prefix(64))' is no uint")
      }
      return .uint(uint)
    default: throw noOverload("uint", [value])
    }
  }

  static func double(_ text: String) throws(CELError) -> CELValue {
    switch text.lowercased() {
    case "nan": return .double(.nan)
    case "inf", "+inf", "infinity", "+infinity": return .double(.infinity)
    case "-inf", "-infinity": return .double(-.infinity)
    default: break
    }
    // strtod alone would take spaces, hexadecimal and trailing text.
    let allowed = text.utf8.allSatisfy { $0 &- 0x30 < 10 || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }
    guard allowed, let value = Double(text), value.isFinite else {
      throw CELError("type conversion error: '\(text.prefix(64))' is no double")
    }
    return .double(value)
  }

  static func bool(_ text: String) throws(CELError) -> CELValue {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": return .bool(true)
    case "0", "f", "F", "false", "FALSE", "False": return .bool(false)
    default: throw CELError("type conversion error: '\(text.prefix(64))' is no bool")
    }
  }
}
