import COpenSSL

/// Digests of bytes, computed by the system's OpenSSL.
package enum Digest {
  /// 32 bytes.
  package static func sha256(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, EVP_sha256(), count: 32) }

  /// 20 bytes. Only for name-based UUIDs (version 5), never where forgery matters.
  package static func sha1(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, EVP_sha1(), count: 20) }

  /// 64 bytes.
  package static func sha512(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, EVP_sha512(), count: 64) }

  /// 32 bytes: HMAC-SHA-256 of the message.
  package static func hmacSHA256(key: [UInt8], message: [UInt8]) -> [UInt8] {
    // An empty array's pointer may be nil, which HMAC takes for "the previous key".
    let safeKey = key.isEmpty ? [0] : key
    return [UInt8](unsafeUninitializedCapacity: 32) { out, count in
      var length: UInt32 = 32
      let done = HMAC(EVP_sha256(), safeKey, Int32(key.count), message, message.count, out.baseAddress, &length)
      precondition(done != nil, "HMAC-SHA-256 is not available from OpenSSL")
      count = 32
    }
  }

  /// Compares in a time that depends on the lengths only.
  package static func constantTimeEquals(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for index in a.indices { difference |= a[index] ^ b[index] }
    return difference == 0
  }

  /// Lower-case hexadecimal digits.
  package static func hex(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { out in
      for (index, byte) in bytes.enumerated() {
        out[index * 2] = hexDigit(byte >> 4)
        out[index * 2 + 1] = hexDigit(byte & 15)
      }
      return bytes.count * 2
    }
  }

  private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble + 0x30 : nibble - 10 + 0x61 }

  private static func digest(_ bytes: [UInt8], _ kind: OpaquePointer?, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
      var length = UInt32(count)
      let done = EVP_Digest(bytes, bytes.count, out.baseAddress, &length, kind, nil)
      precondition(done == 1, "the digest is not available from OpenSSL")
      initialized = count
    }
  }
}
