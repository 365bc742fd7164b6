internal import JSON

/// A point in time between the years 1 and 9999, in nanoseconds, UTC.
public struct CELTimestamp: Sendable, Hashable, Comparable {
  /// Since 1970-01-01T00:00:00Z.
  public let seconds: Int64
  /// 0 up to 999,999,999, counted forward from ``seconds``.
  public let nanoseconds: Int32

  static let secondsRange: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

  /// nil outside of the years 1 to 9999.
  public init?(seconds: Int64, nanoseconds: Int32 = 0) {
    guard Self.secondsRange.contains(seconds), (0..<1_000_000_000).contains(nanoseconds) else { return nil }
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// RFC 3339 with any offset; nil when the text is not, or out of range.
  public init?(parsing text: String) {
    let b = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= b.count else { return nil }
      var value = 0
      for byte in b[range] {
        guard byte &- 0x30 < 10 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard b.count >= 20, let year = number(0..<4), b[4] == 0x2D, let month = number(5..<7), b[7] == 0x2D, let day = number(8..<10),
      b[10] | 0x20 == 0x74, let hour = number(11..<13), b[13] == 0x3A, let minute = number(14..<16), b[16] == 0x3A,
      let second = number(17..<19),
      (1...12).contains(month), day >= 1, day <= CivilDate.days(inMonth: month, year: year), hour < 24, minute < 60, second < 60
    else { return nil }
    var at = 19
    var nanos = 0
    if b[at] == 0x2E || b[at] == 0x2C {
      at += 1
      var digits = 0
      while at < b.count, b[at] &- 0x30 < 10 {
        if digits < 9 { nanos = nanos * 10 + Int(b[at] - 0x30) }
        digits += 1
        at += 1
      }
      guard digits > 0 else { return nil }
      while digits < 9 {
        nanos *= 10
        digits += 1
      }
    }
    guard at < b.count else { return nil }
    var offset = 0
    switch b[at] {
    case 0x5A, 0x7A: at += 1
    case 0x2B, 0x2D:
      guard let hours = number(at + 1..<at + 3), at + 3 < b.count, b[at + 3] == 0x3A, let minutes = number(at + 4..<at + 6), hours < 24,
        minutes < 60
      else { return nil }
      offset = (hours * 3600 + minutes * 60) * (b[at] == 0x2D ? -1 : 1)
      at += 6
    default: return nil
    }
    guard at == b.count else { return nil }
    let days = CivilDate.days(year: year, month: month, day: day)
    self.init(seconds: days * 86400 + Int64(hour * 3600 + minute * 60 + second - offset), nanoseconds: Int32(nanos))
  }

  /// RFC 3339 in UTC with as many decimals as needed.
  public var text: String {
    let civil = Civil(seconds: seconds)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
    let year = String(civil.year)
    return String(repeating: "0", count: 4 - year.utf8.count) + year + "-" + two(civil.month) + "-" + two(civil.day) + "T" + two(civil.hour)
      + ":"
      + two(civil.minute) + ":" + two(civil.second) + fractionText(nanoseconds: UInt64(nanoseconds)) + "Z"
  }

  /// nil out of range.
  func adding(_ duration: CELDuration) -> CELTimestamp? {
    var whole = duration.nanoseconds / 1_000_000_000
    var nanos = Int64(nanoseconds) + duration.nanoseconds % 1_000_000_000
    if nanos < 0 {
      nanos += 1_000_000_000
      whole -= 1
    } else if nanos >= 1_000_000_000 {
      nanos -= 1_000_000_000
      whole += 1
    }
    return CELTimestamp(seconds: seconds + whole, nanoseconds: Int32(nanos))
  }

  /// nil out of range.
  func since(_ other: CELTimestamp) -> CELDuration? {
    // The difference of the parts may have to cross zero to fit, so the sum is made in 128 bits.
    let difference = Int128(seconds - other.seconds) * 1_000_000_000 + Int128(nanoseconds - other.nanoseconds)
    return Int64(exactly: difference).map { CELDuration(nanoseconds: $0) }
  }

  public static func < (a: CELTimestamp, b: CELTimestamp) -> Bool { (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds) }
}

/// The parts of a time in the proleptic Gregorian calendar.
struct Civil {
  var year: Int
  /// From 1.
  var month: Int
  /// From 1.
  var day: Int
  var hour: Int
  var minute: Int
  var second: Int
  /// From Sunday, 0.
  var weekday: Int
  /// From 0.
  var yearday: Int

  /// Seconds since 1970 on the clock that is wanted.
  init(seconds: Int64) {
    let (days, second) = seconds.dividedDown(by: 86400)
    hour = Int(second) / 3600
    minute = Int(second) / 60 % 60
    self.second = Int(second) % 60
    weekday = CivilDate.weekday(daysSince1970: days)
    let date = CivilDate(daysSince1970: days)
    year = date.year
    month = date.month
    day = date.day
    yearday = Int(days - CivilDate.days(year: year, month: 1, day: 1))
  }
}
