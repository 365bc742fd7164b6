/// Reads RE2's syntax: no back references, no look-around.
struct RegexParser {
  private struct Flags {
    var ignoreCase = false
    var multiLine = false
    var dotMatchesNewline = false
    var swapGreed = false
  }

  /// As in RE2.
  static let maximumRepetition = 1000
  private static let maximumDepth = 100

  private let scalars: [UInt32]
  private var at = 0
  private var flags = Flags()
  private var depth = 0
  private(set) var groups = 0
  private(set) var names: [String: Int] = [:]

  init(_ pattern: String) { scalars = pattern.unicodeScalars.map(\.value) }

  private func fail(_ message: String) -> CELError { CELError("invalid regular expression: \(message)") }

  private var current: UInt32? { at < scalars.count ? scalars[at] : nil }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard current == character.value else { return false }
    at += 1
    return true
  }

  private func follows(_ text: String, _ ahead: Int = 0) -> Bool {
    scalars[min(at + ahead, scalars.count)...].starts(with: text.unicodeScalars.map(\.value))
  }

  mutating func parse() throws(CELError) -> RegexSyntax {
    let tree = try choice()
    guard at == scalars.count else { throw fail("unexpected )") }
    return tree
  }

  private mutating func choice() throws(CELError) -> RegexSyntax {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw fail("more than \(Self.maximumDepth) groups inside each other") }
    var branches = [try sequence()]
    while accept("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(CELError) -> RegexSyntax {
    var items: [RegexSyntax] = []
    while let next = current, next != 0x7C, next != 0x29 {
      if follows("\\Q") {
        at += 2
        while at < scalars.count, !follows("\\E") {
          items.append(literal(scalars[at]))
          at += 1
        }
        if at < scalars.count { at += 2 }
        // A repetition belongs to the last character.
        if let last = items.popLast() { items.append(try repeated(last)) }
        continue
      }
      if follows("(?"), let flags = try flagGroup() {
        self.flags = flags
        continue
      }
      let atom = try atom()
      items.append(try repeated(atom))
    }
    return items.count == 1 ? items[0] : items.isEmpty ? .empty : .sequence(items)
  }

  private mutating func repeated(_ atom: RegexSyntax) throws(CELError) -> RegexSyntax {
    var result = atom
    var count = 0
    while let next = current {
      var minimum = 0
      var maximum: Int?
      switch next {
      case 0x2A: at += 1
      case 0x2B:
        minimum = 1
        at += 1
      case 0x3F:
        maximum = 1
        at += 1
      case 0x7B:
        guard let bounds = try bounds() else { return result }
        (minimum, maximum) = bounds
      default: return result
      }
      if count > 0 { throw fail("invalid nested repetition operator") }
      count += 1
      let lazy = accept("?")
      result = .repetition(result, minimum: minimum, maximum: maximum, greedy: lazy == flags.swapGreed)
    }
    return result
  }

  /// `{n}`, `{n,}`, `{n,m}`; nil when the brace is a literal one.
  private mutating func bounds() throws(CELError) -> (Int, Int?)? {
    let start = at
    func number() -> Int? {
      var value: Int?
      while let next = current, 0x30...0x39 ~= next {
        value = min((value ?? 0) * 10 + Int(next - 0x30), 1_000_000)
        at += 1
      }
      return value
    }
    at += 1
    guard let minimum = number() else {
      at = start
      return nil
    }
    var maximum: Int? = minimum
    if accept(",") { maximum = number() }
    guard accept("}") else {
      at = start
      return nil
    }
    guard minimum <= Self.maximumRepetition, maximum ?? 0 <= Self.maximumRepetition, maximum ?? minimum >= minimum else {
      throw fail("invalid repetition count: at most \(Self.maximumRepetition), the lower number first")
    }
    return (minimum, maximum)
  }

  private func literal(_ scalar: UInt32) -> RegexSyntax {
    let set = ScalarSet([scalar...scalar])
    return .set(flags.ignoreCase ? set.foldingCase : set)
  }

  private mutating func atom() throws(CELError) -> RegexSyntax {
    let next = scalars[at]
    switch next {
    case 0x28: return try group()
    case 0x5B: return .set(try bracket())
    case 0x2E:
      at += 1
      return .set(flags.dotMatchesNewline ? .all : .notNewline)
    case 0x5E:
      at += 1
      return .assertion(flags.multiLine ? .lineStart : .textStart)
    case 0x24:
      at += 1
      return .assertion(flags.multiLine ? .lineEnd : .textEnd)
    case 0x5C: return try escape()
    case 0x2A, 0x2B, 0x3F: throw fail("missing argument to repetition operator '\(Unicode.Scalar(next)!)'")
    case 0x7B:
      if try bounds() != nil { throw fail("missing argument to repetition operator '{'") }
      at += 1
      return literal(next)
    default:
      at += 1
      return literal(next)
    }
  }

  /// `(?i)` and the like change the flags up to the end of the group they stand in; nil for any other group.
  private mutating func flagGroup() throws(CELError) -> Flags? {
    let start = at
    at += 2
    var flags = flags
    var on = true
    var seen = false
    while let next = current {
      at += 1
      switch Unicode.Scalar(next) {
      case "i": flags.ignoreCase = on
      case "m": flags.multiLine = on
      case "s": flags.dotMatchesNewline = on
      case "U": flags.swapGreed = on
      case "-" where on: on = false
      case ")" where seen: return flags
      default:
        at = start
        return nil
      }
      seen = true
    }
    at = start
    return nil
  }

  private mutating func group() throws(CELError) -> RegexSyntax {
    at += 1
    let outer = flags
    defer { flags = outer }
    var index: Int?
    if accept("?") {
      if follows("P<") || follows("<") {
        if accept("P") {}
        at += 1
        var name = String.UnicodeScalarView()
        while let next = current, let scalar = Unicode.Scalar(next),
          scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        {
          name.append(scalar)
          at += 1
        }
        guard accept(">"), !name.isEmpty else { throw fail("invalid group name") }
        groups += 1
        index = groups
        guard names.updateValue(groups, forKey: String(name)) == nil else { throw fail("two groups with one name") }
      } else {
        var on = true
        loop: while true {
          guard let next = current else { throw fail("missing )") }
          at += 1
          switch Unicode.Scalar(next) {
          case "i": flags.ignoreCase = on
          case "m": flags.multiLine = on
          case "s": flags.dotMatchesNewline = on
          case "U": flags.swapGreed = on
          case "-" where on: on = false
          case ":": break loop
          default: throw fail("invalid or unsupported group")
          }
        }
      }
    } else {
      groups += 1
      index = groups
    }
    let inner = try choice()
    guard accept(")") else { throw fail("missing closing )") }
    return index.map { .group(inner, $0) } ?? inner
  }

  // MARK: Escapes and classes

  private mutating func escape() throws(CELError) -> RegexSyntax {
    guard at + 1 < scalars.count, let letter = Unicode.Scalar(scalars[at + 1]) else { throw fail("trailing backslash") }
    switch letter {
    case "A":
      at += 2
      return .assertion(.textStart)
    case "z":
      at += 2
      return .assertion(.textEnd)
    case "b":
      at += 2
      return .assertion(.wordBoundary)
    case "B":
      at += 2
      return .assertion(.notWordBoundary)
    default: break
    }
    if let set = try classEscape() { return .set(flags.ignoreCase ? set.foldingCase : set) }
    return literal(try characterEscape())
  }

  /// `\d`, `\pL` and the like; nil for the escape of one character.
  private mutating func classEscape() throws(CELError) -> ScalarSet? {
    guard at + 1 < scalars.count, let letter = Unicode.Scalar(scalars[at + 1]) else { return nil }
    let set: ScalarSet
    switch letter {
    case "d": set = .digit
    case "D": set = ScalarSet.digit.inverted
    case "w": set = .word
    case "W": set = ScalarSet.word.inverted
    case "s": set = .space
    case "S": set = ScalarSet.space.inverted
    case "p", "P":
      at += 2
      var negated = letter == "P"
      var name = String.UnicodeScalarView()
      if accept("{") {
        if accept("^") { negated.toggle() }
        while let next = current, next != 0x7D, let scalar = Unicode.Scalar(next) {
          name.append(scalar)
          at += 1
        }
        guard accept("}") else { throw fail("invalid character class range") }
      } else if let next = current, let scalar = Unicode.Scalar(next) {
        name.append(scalar)
        at += 1
      }
      guard let set = UnicodeClasses.named(String(name)) else { throw fail("unknown character class \\p{\(String(name))}") }
      return negated ? set.inverted : set
    default: return nil
    }
    at += 2
    return set
  }

  private mutating func characterEscape() throws(CELError) -> UInt32 {
    at += 1
    guard let next = current, let letter = Unicode.Scalar(next) else { throw fail("trailing backslash") }
    at += 1
    func hex(_ scalar: UInt32) -> UInt32? {
      switch scalar {
      case 0x30...0x39: scalar - 0x30
      case 0x41...0x46: scalar - 0x41 + 10
      case 0x61...0x66: scalar - 0x61 + 10
      default: nil
      }
    }
    switch letter {
    case "a": return 0x07
    case "f": return 0x0C
    case "n": return 0x0A
    case "r": return 0x0D
    case "t": return 0x09
    case "v": return 0x0B
    case "x":
      var value: UInt32 = 0
      if accept("{") {
        var digits = 0
        while let next = current, let digit = hex(next) {
          value = value << 4 | digit
          digits += 1
          at += 1
          guard value <= 0x10FFFF else { throw fail("invalid escape sequence") }
        }
        guard digits > 0, accept("}") else { throw fail("invalid escape sequence") }
      } else {
        for _ in 0..<2 {
          guard let next = current, let digit = hex(next) else { throw fail("invalid escape sequence") }
          value = value << 4 | digit
          at += 1
        }
      }
      return value
    case "0"..."7":
      // A lone digit but 0 would be a back reference.
      guard letter == "0" || (current.map { 0x30...0x37 ~= $0 } ?? false) else { throw fail("invalid escape sequence: no back references") }
      var value = next - 0x30
      for _ in 0..<2 {
        guard let digit = current, 0x30...0x37 ~= digit else { break }
        value = value * 8 + digit - 0x30
        at += 1
      }
      return value
    default:
      guard letter.isASCII, !letter.properties.isAlphabetic, !("0"..."9").contains(letter) else {
        throw fail("invalid escape sequence \\\(letter)")
      }
      return next
    }
  }

  private mutating func bracket() throws(CELError) -> ScalarSet {
    at += 1
    let negated = accept("^")
    var ranges: [ClosedRange<UInt32>] = []
    var first = true
    while true {
      guard let next = current else { throw fail("missing closing ]") }
      if next == 0x5D, !first { break }
      first = false
      if next == 0x5B, follows("[:") {
        if let set = try posixClass() {
          ranges += set.ranges
          continue
        }
      }
      if next == 0x5C, let set = try classEscape() {
        ranges += set.ranges
        continue
      }
      let low = try member()
      if current == 0x2D, at + 1 < scalars.count, scalars[at + 1] != 0x5D {
        at += 1
        let high = try member()
        guard high >= low else { throw fail("invalid character class range") }
        ranges.append(low...high)
      } else {
        ranges.append(low...low)
      }
    }
    at += 1
    var set = ScalarSet(ranges)
    if flags.ignoreCase { set = set.foldingCase }
    return negated ? set.inverted : set
  }

  private mutating func member() throws(CELError) -> UInt32 {
    guard let next = current else { throw fail("missing closing ]") }
    if next == 0x5C { return try characterEscape() }
    at += 1
    return next
  }

  private mutating func posixClass() throws(CELError) -> ScalarSet? {
    guard
      let end = scalars[at...].indices.first(where: {
        scalars[$0] == 0x3A && $0 > at + 1 && $0 + 1 < scalars.count && scalars[$0 + 1] == 0x5D
      })
    else {
      return nil
    }
    var name = String.UnicodeScalarView()
    for value in scalars[(at + 2)..<end] { name.append(Unicode.Scalar(value)!) }
    let negated = name.first == "^"
    if negated { name.removeFirst() }
    guard let set = UnicodeClasses.posix[String(name)] else { throw fail("invalid character class [:\(String(name)):]") }
    at = end + 2
    return negated ? set.inverted : set
  }
}
