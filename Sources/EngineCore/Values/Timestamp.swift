package import JSON

#if canImport(Glibc)
  internal import Glibc
#endif

extension Timestamp {
  /// The wall clock. Only the shell calls this; the engine's state is told the time.
  package static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }

  /// As HTTP's `Date` wants it: `Sun, 22 Nov 2026 21:05:56 GMT`.
  var httpDate: String {
    let (days, second) = seconds.dividedDown(by: 86_400)
    let date = CivilDate(daysSince1970: days)
    let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][CivilDate.weekday(daysSince1970: days)]
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][date.month - 1]
    return "\(weekday), \(Self.padded(date.day, 2)) \(month) \(Self.padded(date.year, 4)) \(Self.clock(second)) GMT"
  }
}
