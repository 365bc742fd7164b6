/// How a text is written so that it is read as that text, by a reader of YAML 1.2 and by one of 1.1.
enum YAMLStyle: Hashable {
  case plain
  case singleQuoted
  /// What is a text only by its quotes, as "1" is, and what needs escapes.
  case doubleQuoted
  /// As it is, line by line.
  case literal

  static func ofText(_ bytes: UnsafeBufferPointer<UInt8>) -> YAMLStyle {
    guard bytes.contains(0x0A) else { return ofLine(bytes) }
    // A reader finds out by the first line how far in the text stands, so that line must begin with something; and what nobody sees at the end is shown.
    guard let first = bytes.first, let last = bytes.last, !" \t\n".utf8.contains(first), !" \t".utf8.contains(last),
      !hasUnprintable(bytes, besidesLines: true)
    else { return .doubleQuoted }
    return .literal
  }

  /// Of a member's name, which stands on one line.
  static func ofName(_ bytes: UnsafeBufferPointer<UInt8>) -> YAMLStyle { ofLine(bytes) }

  private static func ofLine(_ bytes: UnsafeBufferPointer<UInt8>) -> YAMLStyle {
    if hasUnprintable(bytes) || readsAsOther(bytes) { return .doubleQuoted }
    return isPlain(bytes) ? .plain : .singleQuoted
  }

  /// Whether no mark of YAML is in it, at a place where it would count.
  private static func isPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = bytes.first, let last = bytes.last, first != 0x20, last != 0x20, last != UInt8(ascii: ":"),
      !"#,[]{}&*!|>'\"%@`?:".utf8.contains(first)
    else { return false }
    if first == UInt8(ascii: "-"), bytes.count == 1 || bytes[1] == 0x20 || bytes.starts(with: "---".utf8) { return false }
    if bytes.starts(with: "...".utf8) { return false }
    var before = first
    for byte in bytes.dropFirst() {
      if byte == 0x20 && before == UInt8(ascii: ":") || byte == UInt8(ascii: "#") && before == 0x20 { return false }
      before = byte
    }
    return true
  }

  private static let words: Set<String> = [
    "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<", ".inf", "+.inf", "-.inf", ".nan",
  ]

  /// True for what is a number, a moment, a truth or nothing without quotes. Some texts that only look like it are among them, such as 1.2.3 and 0a-1f.
  private static func readsAsOther(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = bytes.first else { return true }
    if bytes.count <= 5, words.contains(String(decoding: bytes, as: UTF8.self).lowercased()) { return true }
    guard first &- 0x30 < 10 || "+-.".utf8.contains(first) else { return false }
    return bytes.contains { $0 &- 0x30 < 10 }
      && bytes.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 6 || "+-.,:_ xXoOtTzZ".utf8.contains($0) }
  }

  /// - Parameter besidesLines: line feeds and tabs do not count.
  private static func hasUnprintable(_ bytes: UnsafeBufferPointer<UInt8>, besidesLines: Bool = false) -> Bool {
    var at = 0
    while at < bytes.count {
      let byte = bytes[at]
      // Nearly all bytes end here: most of the time of a long list is spent in this loop.
      if byte < 0x20 || byte >= 0x7F, !(besidesLines && (byte == 0x0A || byte == 0x09)), widthOfUnprintable(bytes, at) > 0 { return true }
      at += 1
    }
    return false
  }

  /// The bytes of the character that begins there when it must be escaped: controls, and what a reader takes for the end of a line or for a byte order
  /// mark. 0 for any other.
  static func widthOfUnprintable(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int {
    switch bytes[at] {
    case 0..<0x20, 0x7F: return 1
    case 0xC2 where at + 1 < bytes.count && bytes[at + 1] < 0xA0: return 2
    case 0xE2 where at + 2 < bytes.count && bytes[at + 1] == 0x80 && bytes[at + 2] & 0xFE == 0xA8: return 3
    case 0xEF where at + 2 < bytes.count:
      let isMark = bytes[at + 1] == 0xBB && bytes[at + 2] == 0xBF
      return isMark || bytes[at + 1] == 0xBF && bytes[at + 2] >= 0xBE ? 3 : 0
    default: return 0
    }
  }
}
