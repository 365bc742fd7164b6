internal import JSON

/// How API servers read a scalar: by the types of YAML 1.1, as far as their parser knows these, so `yes` is true and `0777` is 511. Numbers to the base of 60
/// are texts, and so are moments.
enum KubernetesScalar {
  struct Refusal: Error {
    /// Never with the scalar itself.
    let why: String
  }

  private static let prefix = "tag:yaml.org,2002:"

  /// - Parameter tag: in its long form; empty for a plain scalar without one. One in quotes without a tag has that of a text.
  /// - Throws: for what is not what its tag says, and for a number that JSON does not have.
  static func value(_ text: String, tag: String) throws(Refusal) -> JSONValue {
    guard !tag.isEmpty else { return try finite(plain(text)) }
    guard tag.hasPrefix(prefix) else { return .string(text) }
    let name = tag.dropFirst(prefix.count)
    switch name {
    case "bool", "int", "float", "null", "timestamp": return try tagged(text, String(name))
    case "binary":
      let letters = String(decoding: text.utf8.filter { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
      guard letters.utf8.count % 4 == 0, let bytes = Base64.decode(letters) else { throw Refusal(why: "!!binary without valid base64") }
      return .string(String(decoding: bytes, as: UTF8.self))
    default: return .string(text)
    }
  }

  private static func tagged(_ text: String, _ tag: String) throws(Refusal) -> JSONValue {
    let value = try finite(plain(text))
    let fits =
      switch (value, tag) {
      case (.bool, "bool"), (.int, "int"), (.int, "float"), (.double, "float"), (.null, "null"), (.string, "timestamp"): true
      default: false
      }
    // A float may have become an integer, which is how JSON has it.
    guard fits, tag != "int" || integer(text.utf8.filter { $0 != UInt8(ascii: "_") }) != nil else {
      throw Refusal(why: "a scalar is not the \(tag) that its tag says")
    }
    return value
  }

  private static func finite(_ value: JSONValue) throws(Refusal) -> JSONValue {
    if case .double(let double) = value, !double.isFinite { throw Refusal(why: "JSON has no such number") }
    return value
  }

  private static func plain(_ text: String) -> JSONValue {
    guard let first = text.utf8.first else { return .null }
    // Most scalars are words, and most words are none of these.
    if text.utf8.count <= 5, let value = words[text] { return value }
    switch first {
    case UInt8(ascii: "."): return isFloat(Array(text.utf8)) ? float(text) ?? .string(text) : .string(text)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"):
      let digits = text.utf8.filter { $0 != UInt8(ascii: "_") }
      if let value = integer(digits) { return value }
      return isFloat(digits) ? float(String(decoding: digits, as: UTF8.self)) ?? .string(text) : .string(text)
    default: return .string(text)
    }
  }

  private static let words: [String: JSONValue] = {
    var words: [String: JSONValue] = ["~": .null, "null": .null, "Null": .null, "NULL": .null]
    for (value, names) in [(true, ["y", "yes", "true", "on"]), (false, ["n", "no", "false", "off"])] {
      for name in names {
        for word in [name, name.prefix(1).uppercased() + name.dropFirst(), name.uppercased()] { words[word] = .bool(value) }
      }
    }
    for name in ["inf", "Inf", "INF"] {
      for sign in ["", "+"] { words["\(sign).\(name)"] = .double(.infinity) }
      words["-.\(name)"] = .double(-.infinity)
    }
    for name in [".nan", ".NaN", ".NAN"] { words[name] = .double(.nan) }
    return words
  }()

  /// Of 64 bits, with or without a sign, to the base that its prefix says: a 0 alone is one, too.
  private static func integer(_ text: [UInt8]) -> JSONValue? {
    var digits = text[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    var radix = 10
    if digits.first == UInt8(ascii: "0"), digits.count > 1 {
      switch digits[digits.startIndex + 1] | 0x20 {
      case UInt8(ascii: "x"): radix = 16
      case UInt8(ascii: "b"): radix = 2
      case UInt8(ascii: "o"): radix = 8
      default: radix = -8
      }
      digits = digits.dropFirst(radix < 0 ? 1 : 2)
    }
    // Swift takes one more sign here.
    guard let first = digits.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+"),
      let magnitude = UInt64(String(decoding: digits, as: UTF8.self), radix: abs(radix))
    else { return nil }
    if isNegative { return magnitude <= UInt64(Int64.min.magnitude) ? .int(Int64(truncatingIfNeeded: 0 &- magnitude)) : nil }
    return Int64(exactly: magnitude).map { .int($0) } ?? .double(Double(magnitude))
  }

  /// Digits with or without a point, and an exponent perhaps; no hexadecimal ones, which Swift would take.
  private static func isFloat(_ text: [UInt8]) -> Bool {
    text.allSatisfy { $0 &- 0x30 < 10 || "+-.eE".utf8.contains($0) } && text.contains { $0 &- 0x30 < 10 }
  }

  /// nil for what is none, or too large to be one.
  private static func float(_ text: String) -> JSONValue? {
    guard let double = Double(text), double.isFinite else { return nil }
    return Int64(exactly: double).map { .int($0) } ?? .double(double)
  }
}
