/// An IPv4 or IPv6 address.
final class IPAddress: CELOpaque {
  /// 4 or 16.
  let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  enum Failure: Error { case malformed, zone, mapped }

  /// Four decimal numbers without leading zeros, or RFC 4291 text; no zone, and no IPv4 in dots inside IPv6.
  static func parse(_ text: String) throws(Failure) -> IPAddress {
    if text.utf8.contains(0x25) { throw .zone }
    if !text.utf8.contains(0x3A) {
      guard let bytes = four(text[...]) else { throw .malformed }
      return IPAddress(bytes: bytes)
    }
    var words: [UInt16] = []
    var gap: Int?
    var rest = text[...]
    if rest.hasPrefix("::") {
      gap = 0
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let piece = rest.prefix { $0 != ":" }
      if piece.utf8.contains(0x2E) {
        guard piece.endIndex == rest.endIndex, words.count <= 6, let tail = four(piece) else { throw .malformed }
        let full = words.count == 6 || gap != nil
        throw full && (gap.map { _ in words.last == 0xFFFF } ?? (words[5] == 0xFFFF)) && tail.count == 4
          ? .mapped : full ? .mapped : .malformed
      }
      guard !piece.isEmpty, piece.utf8.count <= 4, let word = UInt16(piece, radix: 16), !piece.hasPrefix("+"), !piece.hasPrefix("-") else {
        throw .malformed
      }
      words.append(word)
      rest = rest.dropFirst(piece.count)
      if rest.isEmpty { break }
      rest = rest.dropFirst()
      if rest.hasPrefix(":") {
        guard gap == nil else { throw .malformed }
        gap = words.count
        rest = rest.dropFirst()
        if rest.hasPrefix(":") { throw .malformed }
      } else if rest.isEmpty {
        throw .malformed
      }
      guard words.count <= 8 else { throw .malformed }
    }
    if let gap {
      guard words.count < 8 else { throw .malformed }
      words.insert(contentsOf: Array(repeating: 0, count: 8 - words.count), at: gap)
    }
    guard words.count == 8 else { throw .malformed }
    return IPAddress(bytes: words.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
  }

  private static func four(_ text: Substring) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
      guard !part.isEmpty, part.utf8.count <= 3, part.utf8.allSatisfy({ $0 &- 0x30 < 10 }), part == "0" || !part.hasPrefix("0"),
        let byte = UInt8(part)
      else {
        return nil
      }
      bytes.append(byte)
    }
    return bytes
  }

  var typeName: String { "net.IP" }

  /// An IPv4 address is equal to the IPv6 address that maps it.
  func isEqual(to other: any CELOpaque) -> Bool { (other as? IPAddress)?.unmapped == unmapped }

  private var unmapped: [UInt8] {
    bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF ? Array(bytes[12...]) : bytes
  }

  /// RFC 5952.
  var text: String? {
    if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
    let words = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    if unmapped.count == 4 { return "::ffff:" + unmapped.map { String($0) }.joined(separator: ".") }
    var best = 0..<0
    var start: Int?
    for i in 0...8 {
      if i < 8, words[i] == 0 {
        start = start ?? i
      } else if let first = start {
        if i - first > best.count, i - first > 1 { best = first..<i }
        start = nil
      }
    }
    func text(_ range: Range<Int>) -> String { words[range].map { String($0, radix: 16) }.joined(separator: ":") }
    return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
  }

  var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
  var isLoopback: Bool { bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 }
  var isMulticast: Bool { bytes.count == 4 ? bytes[0] & 0xF0 == 0xE0 : bytes[0] == 0xFF }
  var isLinkLocalMulticast: Bool { bytes.count == 4 ? bytes[..<3] == [224, 0, 0] : bytes[0] == 0xFF && bytes[1] & 0x0F == 2 }
  var isLinkLocalUnicast: Bool { bytes.count == 4 ? bytes[..<2] == [169, 254] : bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80 }

  var isGlobalUnicast: Bool {
    !isUnspecified && !isLoopback && !isMulticast && !isLinkLocalUnicast && bytes != [255, 255, 255, 255]
  }

  /// With all bits after the first `length` cleared.
  func masked(_ length: Int) -> IPAddress {
    IPAddress(
      bytes: bytes.enumerated().map { i, byte in
        let kept = min(max(length - i * 8, 0), 8)
        return kept == 0 ? 0 : byte & (0xFF << UInt8(8 - kept))
      })
  }
}

/// An address and the length of its network's prefix.
final class CIDRRange: CELOpaque {
  let address: IPAddress
  let length: Int

  init(address: IPAddress, length: Int) {
    self.address = address
    self.length = length
  }

  static func parse(_ text: String) throws(IPAddress.Failure) -> CIDRRange {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[1].isEmpty, parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }),
      parts[1] == "0" || !parts[1].hasPrefix("0"), let length = Int(parts[1])
    else { throw .malformed }
    let address = try IPAddress.parse(String(parts[0]))
    guard length <= address.bytes.count * 8 else { throw .malformed }
    return CIDRRange(address: address, length: length)
  }

  var typeName: String { "net.CIDR" }
  var text: String? { "\(address.text!)/\(length)" }

  func isEqual(to other: any CELOpaque) -> Bool {
    guard let other = other as? CIDRRange else { return false }
    return length == other.length && address.bytes == other.address.bytes
  }

  func contains(_ address: IPAddress) -> Bool {
    address.bytes.count == self.address.bytes.count && address.masked(length).bytes == self.address.masked(length).bytes
  }

  func contains(_ other: CIDRRange) -> Bool { other.length >= length && contains(other.address) }
}
