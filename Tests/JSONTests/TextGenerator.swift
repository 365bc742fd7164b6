import TestSupport

/// Makes JSON texts, and texts that are nearly JSON.
struct TextGenerator {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private static let numbers = [
    "0", "-0", "-0.0", "1", "-1", "12.5", "1e3", "1E-3", "1e+3", "0.1", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809", "18446744073709551615", "123456789012345678", "1234567890123456789", "1e400", "-1e400", "1e-400", "5e-324",
    "1.7976931348623157e308", "999999999999999", "1000000000000000", "1e15", "0.30000000000000004",
    "100000000000000000000000000000000000000000",
  ]
  private static let pieces = [
    "a", "name", " ", "é", "日本", "🚀", "\u{7F}", "\u{2028}", #"\n"#, #"\""#, #"\\"#, #"\/"#, #"\b\f\r\t"#, #"\u0000"#, #"\u00e9"#,
    #"\uD83D\uDE80"#,
    #"\ud800"#, #"\uDC00"#, #"\uD800\uD800"#, #"\uD83Dx"#, #"\u001F"#,
  ]
  private static let scraps = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\u12", "tru", "nul", "-", ".", "e", "+", "0", "01", "\u{0}", "\u{1}", "\t", "//",
    "'", "NaN",
    "\u{FEFF}",
  ]

  private mutating func space() -> String { random.chance(6) ? random.pick([" ", "\n", "\t", "\r\n", "  "]) : "" }

  private mutating func string() -> String {
    "\"" + (0..<random.below(4)).map { _ in random.pick(Self.pieces) }.joined() + "\""
  }

  /// One value; names repeat now and then.
  mutating func value(depth: Int = 4) -> String {
    let text: String
    switch random.below(depth > 0 ? 10 : 6) {
    case 0: text = "null"
    case 1: text = random.pick(["true", "false"])
    case 2, 3: text = random.pick(Self.numbers)
    case 4, 5: text = string()
    case 6, 7: text = "[" + (0..<random.below(5)).map { _ in value(depth: depth - 1) }.joined(separator: ",") + space() + "]"
    default:
      let members = (0..<random.below(5)).map { _ in space() + string() + space() + ":" + value(depth: depth - 1) }
      text = "{" + members.joined(separator: ",") + space() + "}"
    }
    return space() + text + space()
  }

  /// A valid text with a few bytes changed, removed, doubled, cut off or put in.
  mutating func mutated() -> [UInt8] {
    var bytes = Array(value().utf8)
    for _ in 0...random.below(3) {
      let at = random.below(bytes.count + 1)
      switch random.below(6) {
      case 0: bytes.removeSubrange(at...)
      case 1: bytes.insert(contentsOf: Array(random.pick(Self.scraps).utf8), at: at)
      case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
      case 3: if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &random) }
      case 4: if at < bytes.count { bytes.remove(at: at) }
      default:
        let end = min(bytes.count, at + 1 + random.below(8))
        bytes.insert(contentsOf: bytes[at..<end], at: random.below(bytes.count + 1))
      }
    }
    return bytes
  }

  /// Bytes of any kind, with a preference for those that mean something.
  mutating func noise() -> [UInt8] {
    let meaningful = Array(#"{}[],:"\u0123456789abcdefDd8C-+.eE tnrlsu"#.utf8) + [0, 0x0A, 0xC3, 0xA9, 0xED, 0xA0, 0x80, 0xF4, 0x90]
    return (0..<random.below(24)).map { _ in random.chance(4) ? UInt8.random(in: 0...255, using: &random) : random.pick(meaningful) }
  }
}
