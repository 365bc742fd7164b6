#if canImport(Glibc)
  internal import Glibc
#endif

/// A moment in UTC with microseconds, written as RFC 3339.
package struct Timestamp: Comparable, Hashable, Sendable {
  /// Microseconds since 1970-01-01T00:00:00Z.
  package var microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }
  package init(seconds: Int64) { microseconds = seconds * 1_000_000 }

  /// The wall clock. Only the shell calls this; the engine's state is told the time.
  package static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }

  /// Whole seconds since 1970, rounded down.
  package var seconds: Int64 { microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000 }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

  package static func + (left: Timestamp, right: Duration) -> Timestamp {
    Timestamp(microseconds: left.microseconds + right.wholeMicroseconds)
  }

  package static func - (left: Timestamp, right: Timestamp) -> Duration {
    .microseconds(left.microseconds - right.microseconds)
  }

  /// `2026-11-22T21:05:56.123456Z`, always with six digits.
  package var text: String {
    let days = Civil.floorDivide(seconds, 86_400)
    let second = Int(seconds - days * 86_400)
    let date = Civil.date(fromDays: days)
    let fraction = Int(microseconds - seconds * 1_000_000)
    return "\(Self.padded(date.year, 4))-\(Self.padded(date.month, 2))-\(Self.padded(date.day, 2))"
      + "T\(Self.padded(second / 3600, 2)):\(Self.padded(second / 60 % 60, 2)):\(Self.padded(second % 60, 2)).\(Self.padded(fraction, 6))Z"
  }

  /// As HTTP's `Date` wants it: `Sun, 22 Nov 2026 21:05:56 GMT`.
  var httpDate: String {
    let days = Civil.floorDivide(seconds, 86_400)
    let second = Int(seconds - days * 86_400)
    let date = Civil.date(fromDays: days)
    let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Civil.weekday(ofDays: days)]
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][date.month - 1]
    return "\(weekday), \(Self.padded(date.day, 2)) \(month) \(Self.padded(date.year, 4)) "
      + "\(Self.padded(second / 3600, 2)):\(Self.padded(second / 60 % 60, 2)):\(Self.padded(second % 60, 2)) GMT"
  }

  /// Reads RFC 3339 with any number of fraction digits (those after the sixth are dropped) and any offset; nil when malformed.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20 else { return nil }
    func number(_ from: Int, _ count: Int) -> Int? {
      guard from + count <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[from..<from + count] {
        guard 0x30...0x39 ~= byte else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2), let minute = number(14, 2),
      let second = number(17, 2), bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54 || bytes[10] == 0x74, bytes[13] == 0x3A,
      bytes[16] == 0x3A,
      1...12 ~= month, 1...Civil.days(inMonth: month, year: year) ~= day, hour < 24, minute < 60, second <= 60
    else { return nil }
    var at = 19
    var fraction = 0
    if bytes[at] == 0x2E {
      at += 1
      var digits = 0
      while at < bytes.count, 0x30...0x39 ~= bytes[at] {
        if digits < 6 { fraction = fraction * 10 + Int(bytes[at] - 0x30) }
        digits += 1
        at += 1
      }
      guard digits > 0 else { return nil }
      for _ in 0..<max(0, 6 - digits) { fraction *= 10 }
    }
    guard at < bytes.count else { return nil }
    var offset = 0
    switch bytes[at] {
    case 0x5A, 0x7A: guard at + 1 == bytes.count else { return nil }
    case 0x2B, 0x2D:
      guard at + 6 == bytes.count, bytes[at + 3] == 0x3A, let hours = number(at + 1, 2), let minutes = number(at + 4, 2), hours < 24,
        minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * 60 * (bytes[at] == 0x2D ? -1 : 1)
    default: return nil
    }
    let seconds = Civil.days(year: year, month: month, day: day) * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
    self.init(microseconds: seconds * 1_000_000 + Int64(fraction))
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension Duration {
  /// Whole microseconds, rounded towards zero.
  var wholeMicroseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
