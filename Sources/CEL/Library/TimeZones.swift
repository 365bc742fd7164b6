internal import Synchronization

/// Offsets from UTC by fixed offset (`+02:00`, `-09:30`, `02:00`) or by name in the system's time zone database.
///
/// That database is the only thing outside of the process that an evaluation may read: when it first meets the name of a zone, never for `UTC` and
/// fixed offsets; see docs/decisions/0005-cel-time-zones.md.
enum TimeZones {
  /// Seconds to add to UTC.
  ///
  /// - Parameter find: gives the rules of a named zone; nil for a name that is none. Asked for nothing else.
  static func offset(
    of name: String, at seconds: Int64, find: (String) -> TimeZoneRules? = { zone(named: $0) }
  ) throws(CELError) -> Int {
    if name == "UTC" || name == "Z" || name.isEmpty { return 0 }
    if let fixed = fixed(name) { return fixed }
    guard TimeZoneDatabase.isName(name), let zone = find(name) else { throw CELError("unknown time zone '\(name.prefix(64))'") }
    return zone.offset(at: seconds)
  }

  private static func fixed(_ name: String) -> Int? {
    var bytes = Array(name.utf8)
    var sign = 1
    if bytes.first == 0x2B || bytes.first == 0x2D { sign = bytes.removeFirst() == 0x2D ? -1 : 1 }
    guard bytes.count == 5, bytes[2] == 0x3A, [0, 1, 3, 4].allSatisfy({ bytes[$0] &- 0x30 < 10 }) else { return nil }
    func number(_ at: Int) -> Int { Int(bytes[at] - 0x30) * 10 + Int(bytes[at + 1] - 0x30) }
    let (hours, minutes) = (number(0), number(3))
    guard hours < 24, minutes < 60 else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }

  private static let known = Mutex<[String: TimeZoneRules?]>([:])

  private static func zone(named name: String) -> TimeZoneRules? {
    if let cached = known.withLock({ $0[name] }) { return cached }
    let rules = TimeZoneDatabase.system.rules(of: name)
    known.withLock {
      // Names come from expressions and data: what they can fill is bounded.
      if $0.count > 1000 { $0.removeAll() }
      $0[name] = rules
    }
    return rules
  }
}
