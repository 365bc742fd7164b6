/// RFC 4648.
enum Base64 {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    var i = 0
    while i < bytes.count {
      let a = UInt32(bytes[i])
      let b = i + 1 < bytes.count ? UInt32(bytes[i + 1]) : 0
      let c = i + 2 < bytes.count ? UInt32(bytes[i + 2]) : 0
      let word = a << 16 | b << 8 | c
      out.append(letters[Int(word >> 18)])
      out.append(letters[Int(word >> 12 & 63)])
      out.append(i + 1 < bytes.count ? letters[Int(word >> 6 & 63)] : 0x3D)
      out.append(i + 2 < bytes.count ? letters[Int(word & 63)] : 0x3D)
      i += 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Padding may be left out. nil for anything else that is not base64.
  static func decode(_ text: String) -> [UInt8]? {
    var bytes = Array(text.utf8)
    if bytes.last == 0x3D {
      guard bytes.count % 4 == 0 else { return nil }
      bytes.removeLast()
      if bytes.last == 0x3D { bytes.removeLast() }
    }
    guard bytes.count % 4 != 1 else { return nil }
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
      case 0x2B: value = 62
      case 0x2F: value = 63
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
