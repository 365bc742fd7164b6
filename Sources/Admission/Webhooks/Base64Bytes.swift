import JSON

/// Base64 as Go reads bytes in JSON: with padding.
enum Base64Bytes {
  /// nil for what is no base64; line breaks are skipped.
  static func decoded(_ text: String) -> [UInt8]? {
    let text = String(decoding: text.utf8.filter { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
    return text.utf8.count % 4 == 0 ? Base64.decode(text) : nil
  }
}
