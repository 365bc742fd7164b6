/// The secret that every request must bring.
package struct BearerToken: Sendable {
  private let bytes: [UInt8]

  /// - Parameter text: without the word Bearer; white space at the end is dropped, as editors add it.
  package init?(_ text: some Collection<UInt8>) {
    let trimmed = Array(text).reversed().drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.reversed()
    guard !trimmed.isEmpty, trimmed.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
    bytes = Array(trimmed)
  }

  /// Reads the file, or makes it with a random token that only its owner can read.
  /// - Throws: ``FileError``.
  package static func load(_ path: String) throws(FileError) -> BearerToken {
    if let text = try? Files.read(path) {
      guard let token = BearerToken(text) else { throw FileError("the token file \(path) holds no token of visible ASCII characters") }
      return token
    }
    var random = SystemRandomNumberGenerator()
    let hex = (0..<32).map { _ in
      let digits = String(UInt8.random(in: 0...255, using: &random), radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
    try Files.replace(path, with: Array("\(hex)\n".utf8), mode: 0o600)
    return BearerToken(hex.utf8)!
  }

  /// Takes the same time wherever the first difference is.
  func matches(authorization: String) -> Bool {
    let given = Array(authorization.utf8)
    guard given.count > 7, String(decoding: given[..<7], as: UTF8.self).lowercased() == "bearer " else { return false }
    let secret = given[7...]
    var difference = UInt(bitPattern: secret.count ^ bytes.count)
    for index in bytes.indices { difference |= UInt(bytes[index] ^ (index < secret.count ? secret[7 + index] : 0)) }
    return difference == 0
  }
}
