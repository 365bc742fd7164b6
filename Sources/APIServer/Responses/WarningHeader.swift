/// Warning headers (kubernetes-wire C3).
enum WarningHeader {
  private static let totalLimit = 4096
  private static let itemLimit = 256

  /// `299 - "…"` for each text; when all together are too long, each is cut.
  static func values(_ warnings: [String]) -> [String] {
    let total = warnings.reduce(0) { $0 + $1.unicodeScalars.count }
    var left = totalLimit
    var values: [String] = []
    for warning in warnings {
      let text = total > totalLimit ? String(warning.prefix(itemLimit)) : warning
      left -= text.unicodeScalars.count
      guard left >= 0 else { break }
      values.append("299 - \(quoted(text))")
    }
    return values
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      default: result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar)
      }
    }
    return result + "\""
  }
}
