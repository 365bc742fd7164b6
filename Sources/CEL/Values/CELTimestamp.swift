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
      (1...12).contains(month), day >= 1, day <= Civil.daysInMonth(year: year, month: month), hour < 24, minute < 60, second < 60
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
    let days = Civil.days(year: year, month: month, day: day)
    self.init(seconds: Int64(days * 86400 + hour * 3600 + minute * 60 + second - offset), nanoseconds: Int32(nanos))
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
    var days = Int(seconds) / 86400
    var rest = Int(seconds) % 86400
    if rest < 0 {
      rest += 86400
      days -= 1
    }
    hour = rest / 3600
    minute = rest / 60 % 60
    second = rest % 60
    weekday = ((days + 4) % 7 + 7) % 7
    // Howard Hinnant's days-to-civil: eras of 400 years that begin on 1 March.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    yearday = days - Civil.days(year: year, month: 1, day: 1)
  }

  /// Days since 1970-01-01.
  static func days(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  static func daysInMonth(year: Int, month: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
