/// RFC 6901: the way to one place in a JSON value.
struct JSONPointer: Sendable, Hashable {
  /// The text as it was given.
  let text: String
  /// The names and indices on the way, with `~0` and `~1` replaced; empty for the whole value.
  let tokens: [String]

  /// nil when the text is neither empty nor begins with a slash, or when a `~` stands for nothing.
  init?(_ text: String) {
    self.text = text
    guard !text.isEmpty else {
      tokens = []
      return
    }
    let parts = text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
    guard parts[0].isEmpty else { return nil }
    var tokens: [String] = []
    for part in parts.dropFirst() {
      guard let token = Self.unescaped(part) else { return nil }
      tokens.append(token)
    }
    self.tokens = tokens
  }

  private static func unescaped(_ part: Substring.UTF8View) -> String? {
    guard part.contains(0x7E) else { return String(Substring(part)) }
    var bytes: [UInt8] = []
    var rest = part[...]
    while let byte = rest.popFirst() {
      guard byte == 0x7E else {
        bytes.append(byte)
        continue
      }
      switch rest.popFirst() {
      case 0x30: bytes.append(0x7E)
      case 0x31: bytes.append(0x2F)
      default: return nil
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// An index as the RFC writes it: decimal digits without a leading zero.
  static func index(_ token: String) -> Int? {
    guard token.utf8.allSatisfy({ $0 &- 0x30 < 10 }), token == "0" || !token.hasPrefix("0") else { return nil }
    return Int(token)
  }
}
