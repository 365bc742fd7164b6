internal import HTTPMessage

/// The id by which one request is found in all logs (kubernetes-wire N11).
enum AuditID {
  /// The caller's, when it looks like one, else a new random UUID.
  static func of(_ request: HTTPRequest) -> String {
    if let given = request.headers["Audit-Id"], 1...64 ~= given.utf8.count, given.utf8.allSatisfy(isPlain) { return given }
    var random = SystemRandomNumberGenerator()
    var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
    return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }
}
