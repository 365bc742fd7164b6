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

  /// An index as the RFC writes it, decimal digits without a leading zero, or one with a minus, as Kubernetes reads it; see ``place(_:in:)``.
  static func index(_ token: String) -> Int? {
    let digits = token.utf8.dropFirst(token.hasPrefix("-") ? 1 : 0)
    guard digits.allSatisfy({ $0 &- 0x30 < 10 }), digits.count == 1 || digits.first != 0x30 else { return nil }
    return Int(token)
  }

  /// Where an index leads in a list of so many places: from the front, or with a minus from the end, where -1 is the last. nil when that is outside.
  static func place(_ index: Int, in count: Int) -> Int? {
    let place = index < 0 ? count + index : index
    return 0..<count ~= place ? place : nil
  }
}
