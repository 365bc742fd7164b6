/// Makes expressions, and texts that almost are, from a seed: the same seed, the same texts.
struct Generator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }

  mutating func pick<T>(_ choices: [T]) -> T { choices[Int(next() % UInt64(choices.count))] }

  static let literals = [
    "0", "1", "-1", "2", "7u", "9223372036854775807", "-9223372036854775808", "18446744073709551615u", "1.5", "-0.0", "1e308", "2.5e-3",
    "0x1F", "''", "'a'",
    #""b\n\"c\"""#, "'é€😀'", "r'\\d+'", "b'\\x00\\xff'", "b'abc'", "'''x'y'''", "true", "false", "null", "[]", "{}",
    "timestamp('2024-02-29T12:00:00.5Z')",
    "duration('1h30m')", "'[a-z]+(x|y)*'", "'10.0.0.1'", "'1.5Gi'",
  ]
  static let names = ["x", "y", "job", "list", "text", "missing", "int", "math", "e"]
  static let fields = ["a", "name", "status", "items", "`b-c`", "in_", "e"]
  static let members = [
    "size", "startsWith", "endsWith", "contains", "matches", "split", "replace", "substring", "indexOf", "join", "format", "lowerAscii",
    "trim", "charAt",
    "getFullYear", "getHours", "orValue", "or", "hasValue", "value", "sort", "distinct", "flatten", "reverse", "slice", "find", "findAll",
    "first",
  ]
  static let functions = [
    "size", "int", "uint", "double", "string", "bytes", "bool", "type", "dyn", "duration", "timestamp", "math.greatest", "math.abs",
    "math.bitShiftLeft",
    "optional.of", "optional.none", "optional.ofNonZeroValue", "lists.range", "strings.quote", "base64.encode", "base64.decode",
    "sets.contains", "ip", "cidr",
    "quantity", "url", "semver", "matches", "has",
  ]
  static let operators = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"]
  static let macros = ["all", "exists", "exists_one", "map", "filter", "optMap", "optFlatMap", "sortBy"]

  /// An expression; `depth` bounds its nesting.
  mutating func expression(_ depth: Int) -> String {
    if depth <= 0 || next() % 8 == 0 { return next() % 3 == 0 ? pick(Self.names) : pick(Self.literals) }
    func deeper(_ generator: inout Generator) -> String { generator.expression(depth - 1 - Int(generator.next() % 2)) }
    func arguments(_ generator: inout Generator) -> String {
      (0..<Int(generator.next() % 4)).map { _ in deeper(&generator) }.joined(separator: ", ")
    }
    switch next() % 16 {
    case 0, 1, 2: return "\(deeper(&self)) \(pick(Self.operators)) \(deeper(&self))"
    case 3: return "(\(deeper(&self))) \(pick(Self.operators)) (\(deeper(&self)))"
    case 4: return pick(["!", "-", "--", "!!"]) + "(\(deeper(&self)))"
    case 5: return pick(["!", "-", "--", "!!", "- "]) + deeper(&self)
    case 6: return "(\(deeper(&self)) ? \(deeper(&self)) : \(deeper(&self)))"
    case 7: return "(\(deeper(&self))).\(pick(["", "?"]))\(pick(Self.fields))"
    case 8: return "\(pick(Self.names)).\(pick(Self.fields)).\(pick(Self.fields))"
    case 9: return "(\(deeper(&self)))[\(pick(["", "?"]))\(deeper(&self))]"
    case 10: return "(\(deeper(&self))).\(pick(Self.members))(\(arguments(&self)))"
    case 11: return "\(pick(Self.functions))(\(arguments(&self)))"
    case 12: return "[\((0..<Int(next() % 4)).map { _ in pick(["", "", "", "?"]) + deeper(&self) }.joined(separator: ", "))]"
    case 13:
      return
        "{\((0..<Int(next() % 3)).map { _ in pick(["", "", "", "?"]) + deeper(&self) + ": " + deeper(&self) }.joined(separator: ", "))}"
    case 14:
      if next() % 4 == 0 { return "(\(deeper(&self))).\(pick(["all", "transformList", "transformMap", "exists"]))(x, y, \(deeper(&self)))" }
      return "(\(deeper(&self))).\(pick(Self.macros))(\(pick(["x", "e"])), \(deeper(&self)))"
    default:
      return next() % 2 == 0 ? "cel.bind(x, \(deeper(&self)), \(deeper(&self)))" : "has(job.\(pick(Self.fields)).\(pick(Self.fields)))"
    }
  }

  /// An expression with bytes changed, dropped, doubled or moved.
  mutating func mutated(_ depth: Int) -> String {
    var bytes = Array(expression(depth).utf8)
    for _ in 0..<Int(next() % 4) + 1 where !bytes.isEmpty {
      let at = Int(next() % UInt64(bytes.count))
      switch next() % 5 {
      case 0: bytes[at] = UInt8(next() % 128)
      case 1: bytes.remove(at: at)
      case 2:
        bytes.insert(
          contentsOf: pick(["(", ")", "[", "]", "{", "}", "'", "\"", "\\", ".", "?", ":", "\\u12", "0x", "e", "'''", "//", "`"]).utf8,
          at: at)
      case 3: bytes += bytes[at...]
      default: bytes.swapAt(at, Int(next() % UInt64(bytes.count)))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Something like a regular expression.
  mutating func pattern() -> String {
    (0..<Int(next() % 12)).map { _ in
      pick([
        "a", "b", "[a-c]", "[^x]", "(", ")", "|", "*", "+", "?", "{2}", "{0,3}", "(?:", "(?i)", "\\d", "\\b", "^", "$", ".", "\\pL",
        "[[:alpha:]]", "é", "\\Q", "\\E",
        "[", "]", "{", "\\", "(?P<n>", "*?", "{1000}",
      ])
    }.joined()
  }

  /// Something like a number, a time, an address, a version, a format.
  mutating func text() -> String {
    (0..<Int(next() % 10)).map { _ in
      pick([
        "0", "1", "9", "255", "2024", "-", "+", ".", ":", "/", "T", "Z", "h", "m", "s", "ns", "us", "E", "e", "Ei", "Ki", "k", "n", "v",
        "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "99999999999999999999999999", "0000000000", "2024-02-29T23:59:60Z", "9999-12-31T23:59:59.999999999",
        "0001-01-01T00:00:00Z", "::", "ffff", "10.0.0.1",
        "/32", "1.2.3", "-rc.1", "http://", "[::1]", "?a=b&c=%41", "%", "%s", "%d", "%.3f", "%x", "%b", "%o", "%e", "%.999f", "%%", "=",
        "YQ==", "é", "😀", " ", "\u{0}", "inf", "nan",
        "Europe/Berlin", "../", "+05:30", "-23:59", "a", "_", "@",
      ])
    }.joined()
  }
}
