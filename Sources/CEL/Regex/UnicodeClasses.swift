internal import Synchronization

/// The classes that patterns name.
enum UnicodeClasses {
  static let posix: [String: ScalarSet] = [
    "alnum": ScalarSet([0x30...0x39, 0x41...0x5A, 0x61...0x7A]), "alpha": ScalarSet([0x41...0x5A, 0x61...0x7A]),
    "ascii": ScalarSet([0...0x7F]),
    "blank": ScalarSet([0x09...0x09, 0x20...0x20]), "cntrl": ScalarSet([0...0x1F, 0x7F...0x7F]), "digit": .digit,
    "graph": ScalarSet([0x21...0x7E]),
    "lower": ScalarSet([0x61...0x7A]), "print": ScalarSet([0x20...0x7E]),
    "punct": ScalarSet([0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]), "space": ScalarSet([0x09...0x0D, 0x20...0x20]),
    "upper": ScalarSet([0x41...0x5A]), "word": .word, "xdigit": ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66]),
  ]

  /// Scripts by their blocks, the common ones.
  private static let scripts: [String: ScalarSet] = [
    "Latin": ScalarSet([
      0x41...0x5A, 0x61...0x7A, 0xAA...0xAA, 0xBA...0xBA, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2B8, 0x1E00...0x1EFF, 0x2C60...0x2C7F,
      0xA722...0xA7FF,
      0xFF21...0xFF3A, 0xFF41...0xFF5A,
    ]),
    "Greek": ScalarSet([
      0x370...0x373, 0x375...0x377, 0x37A...0x37D, 0x37F...0x37F, 0x384...0x384, 0x386...0x386, 0x388...0x3E1, 0x3F0...0x3FF,
      0x1F00...0x1FFE,
    ]),
    "Cyrillic": ScalarSet([0x400...0x52F, 0x1C80...0x1C88, 0x1D2B...0x1D2B, 0x2DE0...0x2DFF, 0xA640...0xA69F]),
    "Han": ScalarSet([
      0x2E80...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029, 0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0xF900...0xFAD9, 0x20000...0x323AF,
    ]),
    "Hiragana": ScalarSet([0x3041...0x3096, 0x309D...0x309F]),
    "Katakana": ScalarSet([0x30A1...0x30FA, 0x30FD...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF9D]),
    "Arabic": ScalarSet([0x600...0x604, 0x606...0x6FF, 0x750...0x77F, 0x8A0...0x8FF, 0xFB50...0xFDFF, 0xFE70...0xFEFC]),
    "Hebrew": ScalarSet([0x591...0x5F4, 0xFB1D...0xFB4F]), "Thai": ScalarSet([0xE01...0xE3A, 0xE40...0xE5B]),
    "Hangul": ScalarSet([0x1100...0x11FF, 0x3131...0x318E, 0xAC00...0xD7A3]), "Devanagari": ScalarSet([0x900...0x950, 0x955...0x97F]),
  ]

  private static let cache = Mutex<[String: ScalarSet]>([:])

  /// A general category (`L`, `Lu`), a script, or `Any`; nil when unknown.
  static func named(_ name: String) -> ScalarSet? {
    if name == "Any" { return .all }
    if let script = scripts[name] { return script }
    if let known = cache.withLock({ $0[name] }) { return known }
    guard name.utf8.count <= 2, "LMNPSZC".contains(name.prefix(1)), !name.isEmpty else { return nil }
    var ranges: [ClosedRange<UInt32>] = []
    var start: UInt32?
    for value in UInt32(0)...0x10FFFF {
      let code = Unicode.Scalar(value).map { abbreviation($0.properties.generalCategory) } ?? "Cs"
      let inside = name.utf8.count == 1 ? code.hasPrefix(name) && code != "Cn" : code == name
      if inside, start == nil { start = value }
      if !inside, let first = start {
        ranges.append(first...value - 1)
        start = nil
      }
    }
    if let start { ranges.append(start...0x10FFFF) }
    guard !ranges.isEmpty else { return nil }
    let set = ScalarSet(ranges)
    cache.withLock { $0[name] = set }
    return set
  }

  private static func abbreviation(_ category: Unicode.GeneralCategory) -> String {
    switch category {
    case .uppercaseLetter: "Lu"
    case .lowercaseLetter: "Ll"
    case .titlecaseLetter: "Lt"
    case .modifierLetter: "Lm"
    case .otherLetter: "Lo"
    case .nonspacingMark: "Mn"
    case .spacingMark: "Mc"
    case .enclosingMark: "Me"
    case .decimalNumber: "Nd"
    case .letterNumber: "Nl"
    case .otherNumber: "No"
    case .connectorPunctuation: "Pc"
    case .dashPunctuation: "Pd"
    case .openPunctuation: "Ps"
    case .closePunctuation: "Pe"
    case .initialPunctuation: "Pi"
    case .finalPunctuation: "Pf"
    case .otherPunctuation: "Po"
    case .mathSymbol: "Sm"
    case .currencySymbol: "Sc"
    case .modifierSymbol: "Sk"
    case .otherSymbol: "So"
    case .spaceSeparator: "Zs"
    case .lineSeparator: "Zl"
    case .paragraphSeparator: "Zp"
    case .control: "Cc"
    case .format: "Cf"
    case .surrogate: "Cs"
    case .privateUse: "Co"
    case .unassigned: "Cn"
    @unknown default: "Cn"
    }
  }
}
