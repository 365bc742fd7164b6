/// Bytes as texts of JSON hold them (RFC 4648).
package enum Base64 {
  /// Which characters stand for 62 and 63, and whether the text is filled up with `=`.
  package enum Alphabet: Sendable {
    /// `+` and `/`, padded (section 4).
    case standard
    /// `-` and `_`, without padding (section 5).
    case url
  }

  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let urlLetters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  package static func encode(_ bytes: [UInt8], _ alphabet: Alphabet = .standard) -> String {
    let letters = alphabet == .url ? urlLetters : letters
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(bytes.count - start, 3)
      let word = (0..<count).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(16 - 8 * $1) }
      for position in 0...count { out.append(letters[Int(word >> UInt32(18 - 6 * position) & 63)]) }
      if alphabet == .standard { for _ in count..<3 { out.append(0x3D) } }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Padding may be left out, and must be with the alphabet of URLs. nil for anything else that is not base64, white space included.
  package static func decode(_ text: String, _ alphabet: Alphabet = .standard) -> [UInt8]? {
    var bytes = Array(text.utf8)
    if bytes.last == 0x3D, alphabet == .standard {
      guard bytes.count % 4 == 0 else { return nil }
      bytes.removeLast()
      if bytes.last == 0x3D { bytes.removeLast() }
    }
    guard bytes.count % 4 != 1 else { return nil }
    let (c62, c63): (UInt8, UInt8) = alphabet == .url ? (0x2D, 0x5F) : (0x2B, 0x2F)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count / 4 * 3 + 2)
    var word: UInt32 = 0
    var bits = 0
    for byte in bytes {
      let value: UInt8
      switch byte {
      case 0x41...0x5A: value = byte - 0x41
      case 0x61...0x7A: value = byte - 0x61 + 26
      case 0x30...0x39: value = byte - 0x30 + 52
      case c62: value = 62
      case c63: value = 63
      default: return nil
      }
      word = word << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
      }
    }
    return out
  }
}
