internal import JSON

/// How Go prints values in messages.
package enum GoText {
  /// `%q`: in double quotes, with the escapes of Go.
  package static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars { result += escaped(scalar, quote: "\"") }
    return result + "\""
  }

  /// One character as it stands between quotes of that kind.
  package static func escaped(_ scalar: Unicode.Scalar, quote: Unicode.Scalar) -> String {
    switch scalar {
    case "\\", quote: "\\\(scalar)"
    case "\u{7}": "\\a"
    case "\u{8}": "\\b"
    case "\u{C}": "\\f"
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    case "\u{B}": "\\v"
    case _ where isPrintable(scalar): String(scalar)
    default: hexadecimal(scalar)
    }
  }

  /// As unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space.
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  private static func hexadecimal(_ scalar: Unicode.Scalar) -> String {
    let code = String(scalar.value, radix: 16)
    if scalar.isASCII { return "\\x" + padded(code, 2) }
    return scalar.value <= 0xFFFF ? "\\u" + padded(code, 4) : "\\U" + padded(code, 8)
  }

  /// With zeros in front.
  static func padded(_ digits: String, _ count: Int) -> String { String(repeating: "0", count: max(0, count - digits.count)) + digits }

  private static let maximumShown = 1024

  static func shown(_ value: JSONValue) -> String {
    // Go shows large values whole; a message of more than this helps nobody. By scalars: a Character can be of any length.
    let text = value.string.map { quoted(String($0.unicodeScalars.prefix(maximumShown))) } ?? value.text
    return text.utf8.count <= maximumShown ? text : String(text.unicodeScalars.prefix(maximumShown)) + "…"
  }

  /// The text of strconv.ParseInt and ParseUint's refusal.
  package static func parseFailure(_ function: String, _ text: String, outOfRange: Bool = false) -> String {
    "strconv.\(function): parsing \(quoted(text)): \(outOfRange ? "value out of range" : "invalid syntax")"
  }
}
