/// Tells bodies apart. Against accidents, not against forgers: whoever can send a key holds the engine's token.
enum Digest {
  /// 128 bits, from two FNV-1a runs with different starts.
  static func hex(_ bytes: [UInt8]) -> String {
    var first: UInt64 = 0xCBF2_9CE4_8422_2325
    var second: UInt64 = 0x9AE1_6A3B_2F90_404F
    for byte in bytes {
      first = (first ^ UInt64(byte)) &* 0x100_0000_01B3
      second = (second ^ UInt64(byte) ^ (second >> 31)) &* 0x100_0000_01B3
    }
    return String(first, radix: 16) + "-" + String(second, radix: 16) + "-" + String(bytes.count, radix: 16)
  }
}
