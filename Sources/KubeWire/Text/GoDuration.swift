/// Durations as Go writes and reads them: `1h30m`, `1.5s`, `300ms`.
package enum GoDuration {
  private static let units: [(name: String, nanoseconds: Double)] = [
    ("ns", 1), ("us", 1e3), ("\u{B5}s", 1e3), ("\u{3BC}s", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
  ]

  /// Why a text is none, in Go's words.
  package struct Refusal: Error {
    package let text: String
  }

  /// nil for what time.ParseDuration refuses, such as a number without a unit.
  package static func parse(_ text: String) -> Duration? { try? parsed(text) }

  /// As time.ParseDuration.
  package static func parsed(_ text: String) throws(Refusal) -> Duration {
    func refusal(_ what: String) -> Refusal { Refusal(text: "time: \(what) duration \(GoText.quoted(text))") }
    let invalid = refusal("invalid")
    var rest = Substring(text)
    var negative = false
    if let sign = rest.first, sign == "-" || sign == "+" {
      negative = sign == "-"
      rest = rest.dropFirst()
    }
    if rest == "0" { return .zero }
    guard !rest.isEmpty else { throw invalid }
    var total: Int64 = 0
    while !rest.isEmpty {
      let whole = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(whole.count)
      var fraction = Substring()
      if rest.first == "." {
        rest = rest.dropFirst()
        fraction = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(fraction.count)
      }
      guard !whole.isEmpty || !fraction.isEmpty else { throw invalid }
      let name = rest.prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
      guard !name.isEmpty else { throw refusal("missing unit in") }
      guard let unit = units.first(where: { $0.name == name }) else { throw refusal("unknown unit \(GoText.quoted(String(name))) in") }
      rest = rest.dropFirst(name.count)
      guard let count = Int64(whole.isEmpty ? "0" : whole) else { throw invalid }
      let (product, overflow) = count.multipliedReportingOverflow(by: Int64(unit.nanoseconds))
      let part = fraction.isEmpty ? 0 : Int64((Double("0." + fraction.prefix(15)) ?? 0) * unit.nanoseconds)
      let (withPart, overflow2) = product.addingReportingOverflow(part)
      let (sum, overflow3) = total.addingReportingOverflow(withPart)
      guard !overflow, !overflow2, !overflow3 else { throw invalid }
      total = sum
    }
    return .nanoseconds(negative ? -total : total)
  }

  /// As time.Duration's String: `1h30m0s`, `1.5s`, `250ms`, `0s`. Nanoseconds are the finest.
  package static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let total = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    if total == 0 { return "0s" }
    let sign = total < 0 ? "-" : ""
    let n = total.magnitude
    if n < 1_000 { return "\(sign)\(n)ns" }
    if n < 1_000_000 { return sign + decimal(n, 1_000, 3) + "\u{B5}s" }
    if n < 1_000_000_000 { return sign + decimal(n, 1_000_000, 6) + "ms" }
    let wholeSeconds = n / 1_000_000_000
    let (hours, minutes) = (wholeSeconds / 3600, wholeSeconds / 60 % 60)
    let rest = decimal(n % 60_000_000_000, 1_000_000_000, 9) + "s"
    if hours > 0 { return "\(sign)\(hours)h\(minutes)m\(rest)" }
    return minutes > 0 ? "\(sign)\(minutes)m\(rest)" : sign + rest
  }

  private static func decimal(_ value: UInt64, _ unit: UInt64, _ digits: Int) -> String {
    guard value % unit != 0 else { return String(value / unit) }
    var fraction = String(value % unit)
    fraction = String(repeating: "0", count: digits - fraction.count) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    return "\(value / unit).\(fraction)"
  }
}
