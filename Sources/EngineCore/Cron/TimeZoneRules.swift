internal import Foundation

/// A time zone, as offsets from UTC.
struct TimeZoneRules: Sendable {
  private let zone: TimeZone

  /// - Parameter name: an IANA name such as `Europe/Berlin`, or `UTC`; nil when there is no such zone.
  init?(_ name: String) {
    guard let zone = name == "UTC" ? TimeZone(secondsFromGMT: 0) : TimeZone(identifier: name) else { return nil }
    self.zone = zone
  }

  /// Seconds east of UTC at that moment (seconds since 1970).
  func offset(at seconds: Int64) -> Int {
    zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds)))
  }

  /// The first moment at which the wall clock shows `wall` (as if seconds since 1970); nil where that time is left out.
  func firstMoment(ofWallClock wall: Int64) -> Int64? {
    let offsets = Set([offset(at: wall - 86_400), offset(at: wall + 86_400), offset(at: wall)])
    return offsets.map { wall - Int64($0) }.filter { $0 + Int64(offset(at: $0)) == wall }.min()
  }
}
