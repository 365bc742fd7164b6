/// A moment in UTC, to the microsecond, as JSON APIs carry it in RFC 3339 text.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Since 1970-01-01T00:00:00Z, leap seconds not counted.
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// Beyond about 292,000 years from 1970 it is the last moment that there is; see ``+(_:_:)``.
  public init(seconds: Int64) { microseconds = saturating(seconds.multipliedReportingOverflow(by: 1_000_000), negative: seconds < 0) }

  /// Reads RFC 3339 (`2026-11-22T19:07:13.167702Z`, any offset, a space for the T); nil for anything else. Finer fractions are cut off.
  public init?(_ text: String) {
    let b = Array(text.utf8)
    func number(_ from: Int, _ length: Int) -> Int? {
      guard from + length <= b.count else { return nil }
      var value = 0
      for byte in b[from..<from + length] {
        guard byte &- 0x30 < 10 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard b.count >= 20, b[4] == 0x2D, b[7] == 0x2D, b[10] | 0x20 == 0x74 || b[10] == 0x20, b[13] == 0x3A, b[16] == 0x3A,
      let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2), let minute = number(14, 2),
      let second = number(17, 2), 1...12 ~= month, 1...CivilDate.days(inMonth: month, year: year) ~= day, hour < 24, minute < 60,
      second < 61
    else { return nil }
    var at = 19
    var fraction: Int64 = 0
    if b[at] == 0x2E {
      at += 1
      let start = at
      var unit: Int64 = 100_000
      while at < b.count, b[at] &- 0x30 < 10 {
        fraction += Int64(b[at] - 0x30) * unit
        unit /= 10
        at += 1
      }
      guard at > start else { return nil }
    }
    guard at < b.count else { return nil }
    var offset = 0
    if b[at] | 0x20 == 0x7A {
      guard at + 1 == b.count else { return nil }
    } else {
      guard b[at] == 0x2B || b[at] == 0x2D, b.count == at + 6, b[at + 3] == 0x3A, let hours = number(at + 1, 2),
        let minutes = number(at + 4, 2),
        hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 3600 + minutes * 60) * (b[at] == 0x2D ? -1 : 1)
    }
    let seconds = CivilDate.days(year: year, month: month, day: day) * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
    microseconds = seconds * 1_000_000 + fraction
  }

  /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
  public var seconds: Int64 { microseconds.dividedDown(by: 1_000_000).quotient }

  /// With microseconds: `2026-11-22T19:07:13.167702Z`. Years outside 0000 to 9999, which RFC 3339 cannot write, have a sign or more digits and are not
  /// read back.
  public var description: String { text + "." + Self.padded(Int(microseconds.dividedDown(by: 1_000_000).remainder), 6) + "Z" }

  /// To the second, as Kubernetes' metav1.Time: `2026-11-22T19:07:13Z` (kubernetes-wire L2).
  public var rfc3339Seconds: String { text + "Z" }

  /// To the second, without a zone.
  private var text: String {
    let (days, second) = seconds.dividedDown(by: 86_400)
    let date = CivilDate(daysSince1970: days)
    return Self.padded(date.year, 4) + "-" + Self.padded(date.month, 2) + "-" + Self.padded(date.day, 2) + "T" + Self.clock(second)
  }

  /// `19:07:13`, of a day's seconds.
  package static func clock(_ second: Int64) -> String {
    padded(Int(second / 3600), 2) + ":" + padded(Int(second / 60 % 60), 2) + ":" + padded(Int(second % 60), 2)
  }

  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

  /// Saturates at the first and the last moment that there is, which serve as "never": no sum of a time that an engine sent ends the program.
  public static func + (a: Timestamp, b: Duration) -> Timestamp {
    let change = b.inMicroseconds
    return Timestamp(microseconds: saturating(a.microseconds.addingReportingOverflow(change), negative: change < 0))
  }

  /// Saturates; see ``+(_:_:)``.
  public static func - (a: Timestamp, b: Duration) -> Timestamp {
    let change = b.inMicroseconds
    return Timestamp(microseconds: saturating(a.microseconds.subtractingReportingOverflow(change), negative: change > 0))
  }

  /// Saturates; see ``+(_:_:)``.
  public static func - (a: Timestamp, b: Timestamp) -> Duration {
    .microseconds(saturating(a.microseconds.subtractingReportingOverflow(b.microseconds), negative: b.microseconds > 0))
  }

  package static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

extension Duration {
  /// Whole microseconds, cut off. Beyond what 64 bits hold, the greatest or least number.
  public var inMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    let whole = saturating(seconds.multipliedReportingOverflow(by: 1_000_000), negative: seconds < 0)
    return saturating(whole.addingReportingOverflow(attoseconds / 1_000_000_000_000), negative: seconds < 0)
  }
}

private func saturating(_ result: (partialValue: Int64, overflow: Bool), negative: Bool) -> Int64 {
  result.overflow ? (negative ? .min : .max) : result.partialValue
}
