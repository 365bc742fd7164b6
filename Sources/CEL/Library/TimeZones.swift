internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// Offsets from UTC by fixed offset (`+02:00`, `-09:30`, `02:00`) or by name in the system's time zone database.
///
/// That database is the only thing outside of the process that an evaluation may read, and only when an expression names a zone.
enum TimeZones {
  /// Seconds to add to UTC.
  static func offset(of name: String, at seconds: Int64) throws(CELError) -> Int {
    if name == "UTC" || name == "Z" || name.isEmpty { return 0 }
    if let fixed = fixed(name) { return fixed }
    guard let zone = zone(named: name) else { throw CELError("unknown time zone '\(name.prefix(64))'") }
    return zone.offset(at: seconds)
  }

  private static func fixed(_ name: String) -> Int? {
    var bytes = Array(name.utf8)
    var sign = 1
    if bytes.first == 0x2B || bytes.first == 0x2D { sign = bytes.removeFirst() == 0x2D ? -1 : 1 }
    guard bytes.count == 5, bytes[2] == 0x3A, let hours = Int(String(decoding: bytes[..<2], as: UTF8.self)),
      let minutes = Int(String(decoding: bytes[3...], as: UTF8.self)), (0...23).contains(hours), (0...59).contains(minutes)
    else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }

  private static let known = Mutex<[String: TimeZoneRules?]>([:])

  private static func zone(named name: String) -> TimeZoneRules? {
    if let cached = known.withLock({ $0[name] }) { return cached }
    let rules = load(name)
    known.withLock {
      // Names come from expressions and data: what they can fill is bounded.
      if $0.count > 1000 { $0.removeAll() }
      $0[name] = rules
    }
    return rules
  }

  private static func load(_ name: String) -> TimeZoneRules? {
    let plain = name.utf8.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || [0x2B, 0x2D, 0x2F, 0x5F].contains($0) }
    guard plain, name.utf8.count < 64, !name.hasPrefix("/") else { return nil }
    for folder in ["/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/etc/zoneinfo/"] {
      guard let file = fopen(folder + name, "rb") else { continue }
      defer { fclose(file) }
      var bytes = [UInt8](repeating: 0, count: 256 << 10)
      let count = fread(&bytes, 1, bytes.count, file)
      if let rules = TimeZoneRules(Array(bytes.prefix(count))) { return rules }
    }
    return nil
  }
}
