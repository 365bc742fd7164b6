internal import JSON

/// Makes ids that sort in the order in which they were made and are never given twice: microseconds (pushed ahead where the clock
/// stands still or goes back) in eleven base-32 digits, then five digits from a seeded generator, so that ids cannot be guessed in tests of
/// access and differ between engines started at the same moment.
struct IDGenerator: Sendable {
  private(set) var last: Int64
  private var seed: UInt64

  /// - Parameter last: the highest time part ever given, read from storage.
  init(last: Int64 = 0, seed: UInt64) {
    self.last = last
    self.seed = seed
  }

  mutating func next(now: Timestamp) -> String {
    last = max(last + 1, now.microseconds)
    seed &+= 0x9E37_79B9_7F4A_7C15
    var mixed = seed
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return Self.digits(UInt64(last), count: 11) + Self.digits(mixed, count: 5)
  }

  /// Ids up to this moment count as given.
  mutating func advance(past microseconds: Int64) { last = max(last, microseconds) }

  /// The time part of an id; 0 for anything else.
  static func time(of id: String) -> Int64 {
    guard id.utf8.count == 16 else { return 0 }
    var value: UInt64 = 0
    for byte in id.utf8.prefix(11) {
      guard let digit = alphabet.firstIndex(of: byte) else { return 0 }
      value = value << 5 | UInt64(digit)
    }
    return Int64(clamping: value)
  }

  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  private static func digits(_ value: UInt64, count: Int) -> String {
    var bytes = [UInt8](repeating: 0, count: count)
    var rest = value
    for position in (0..<count).reversed() {
      bytes[position] = alphabet[Int(rest & 31)]
      rest >>= 5
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
