internal import JSON

/// A Kubernetes resource quantity such as `1.5Gi` or `250m`: a decimal number with at most nine decimals kept, rounded up.
final class Quantity: CELOrdered {
  /// In billionths.
  let nano: Int128
  let spelling: String?

  init(nano: Int128, spelling: String?) {
    self.nano = nano
    self.spelling = spelling
  }

  private static let suffixes: [String: (base: Int128, decimals: Int)] = {
    var all: [String: (Int128, Int)] = ["": (1, 0), "n": (1, 9), "u": (1, 6), "m": (1, 3)]
    for (i, suffix) in ["k", "M", "G", "T", "P", "E"].enumerated() {
      all[suffix] = ((0...i).reduce(Int128(1)) { value, _ in value * 1000 }, 0)
    }
    for (i, suffix) in ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].enumerated() { all[suffix] = (Int128(1) << Int128(10 * (i + 1)), 0) }
    return all
  }()

  /// nil when the text is no quantity. What is beyond the range of a 64-bit number of units is cut to it, as Kubernetes does.
  static func parse(_ text: String) -> Quantity? {
    var rest = Substring(text).utf8
    var negative = false
    if let sign = rest.first, sign == 0x2B || sign == 0x2D {
      negative = sign == 0x2D
      rest.removeFirst()
    }
    let limit = Int128(Int64.max) * 1_000_000_000
    var digits: [UInt8] = []
    var decimals = 0
    var seenPoint = false
    while let byte = rest.first, byte &- 0x30 < 10 || (byte == 0x2E && !seenPoint) {
      if byte == 0x2E {
        seenPoint = true
      } else {
        digits.append(byte - 0x30)
        if seenPoint { decimals += 1 }
      }
      rest.removeFirst()
    }
    guard !digits.isEmpty, digits.count <= 256 else { return nil }
    var suffix = String(Substring(rest))
    var exponent = 0
    if let first = suffix.first, first == "e" || first == "E", suffix.count > 1, suffix != "Ei" {
      guard let power = Int(suffix.dropFirst()), (-1000...1000).contains(power) else { return nil }
      exponent = power
      suffix = ""
    }
    guard let (base, shift) = suffixes[suffix] else { return nil }
    // digits * base * 10^(exponent + 9 - decimals - shift), rounded away from zero.
    var value: Int128 = 0
    var power = exponent + 9 - decimals - shift
    var lost = false
    for (i, digit) in digits.enumerated() {
      if value >= 10_000_000_000_000_000_000 {
        // Further digits are below what is kept, or shift what is out of range already.
        power += digits.count - i
        lost = digits[i...].contains { $0 != 0 }
        break
      }
      value = value * 10 + Int128(digit)
    }
    var scale = base
    while power < 0, scale % 10 == 0, scale > 1 {
      scale /= 10
      power += 1
    }
    func saturating(_ a: Int128, _ b: Int128) -> Int128 {
      let (product, overflow) = a.multipliedReportingOverflow(by: b)
      return overflow ? .max : product
    }
    value = saturating(value, scale)
    while power < 0 {
      if value % 10 != 0 { lost = true }
      value /= 10
      power += 1
      if value == 0 { break }
    }
    while power > 0, value != 0, value != .max {
      value = saturating(value, 10)
      power -= 1
    }
    if lost, value < limit { value += 1 }
    value = min(value, limit)
    return Quantity(nano: negative ? -value : value, spelling: text)
  }

  var typeName: String { "kubernetes.Quantity" }
  func isEqual(to other: any CELOpaque) -> Bool { (other as? Quantity)?.nano == nano }

  func compare(to other: any CELOpaque) -> Int? {
    guard let other = other as? Quantity else { return nil }
    return nano < other.nano ? -1 : nano == other.nano ? 0 : 1
  }

  var isWhole: Bool { nano % 1_000_000_000 == 0 }
  var whole: Int64? { isWhole ? Int64(exactly: nano / 1_000_000_000) : nil }
  var approximate: Double { Double(nano / 1_000_000_000) + Double(nano % 1_000_000_000) / 1e9 }

  var text: String? {
    if let spelling { return spelling }
    if isWhole { return String(nano / 1_000_000_000) }
    if nano % 1_000_000 == 0 { return "\(nano / 1_000_000)m" }
    if nano % 1000 == 0 { return "\(nano / 1000)u" }
    return "\(nano)n"
  }

  var json: JSONValue? { .string(text!) }
}
