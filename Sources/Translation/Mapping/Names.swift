internal import Certificates

/// Kubernetes names for what engines call by their own rules. The same input always gives the same name.
package enum EngineNames {
  /// A DNS-1123 subdomain made from an engine's name: unchanged where it is legal, else altered with a short hash of the original.
  package static func objectName(_ original: String) -> String { legal(original, hashing: original) }

  /// The name of a template whose own name another backend of the namespace has.
  package static func objectName(_ name: String, of backend: String) -> String {
    let hash = shortHash(backend)
    let head = trim(Array(name.utf8.prefix(253 - hash.count - 1)), isAlphanumeric)
    return String(decoding: head, as: UTF8.self) + "-" + hash
  }

  /// The name of a run that was made elsewhere: template and run id.
  package static func runName(template: String?, id: String, identity: String) -> String {
    legal([template ?? "run", id].joined(separator: "-"), hashing: identity)
  }

  /// A label value: at most 63 of A-Z a-z 0-9 - _ . with a letter or digit at both ends; altered ones end in a short hash.
  package static func labelValue(_ text: String) -> String {
    let isLegal = { (byte: UInt8) in isAlphanumeric(byte | 0x20) || isAlphanumeric(byte) || byte == 0x2D || byte == 0x5F || byte == 0x2E }
    let cleaned = text.utf8.map { isLegal($0) ? $0 : 0x2D }
    let trimmed = trim(cleaned) { isAlphanumeric($0 | 0x20) || isAlphanumeric($0) }
    if trimmed.count <= 63, trimmed.elementsEqual(text.utf8) { return text }
    let hash = shortHash(text)
    let head = trim(Array(trimmed.prefix(63 - hash.count - 1))) { isAlphanumeric($0 | 0x20) || isAlphanumeric($0) }
    return head.isEmpty ? hash : String(decoding: head, as: UTF8.self) + "-" + hash
  }

  /// UUID version 5 (RFC 9562 §5.5) under a namespace of our own.
  package static func uid(backend: String, identity: String) -> String {
    let namespace: [UInt8] = [0x6b, 0x1f, 0x5e, 0x0a, 0x52, 0x4d, 0x4c, 0x0e, 0x9a, 0x57, 0x7d, 0x24, 0x3c, 0x1b, 0x88, 0xe1]
    var bytes = Array(Digest.sha1(namespace + Array(backend.utf8) + [0] + Array(identity.utf8)).prefix(16))
    bytes[6] = bytes[6] & 0x0F | 0x50
    bytes[8] = bytes[8] & 0x3F | 0x80
    return uuid(bytes)
  }

  /// The uid of the object that takes the place of another one's, as its successor of a number: UUID version 5, of nothing but the two.
  package static func uid(succeeding uid: String, number: Int64) -> String { self.uid(backend: "", identity: "\(uid)/\(number)") }

  /// UUID version 4 (RFC 9562 §5.4) from 16 random bytes.
  package static func randomUID(_ random: [UInt8]) -> String {
    var bytes = random
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    return uuid(bytes)
  }

  private static func uuid(_ bytes: [UInt8]) -> String {
    let hex = Array(Digest.hex(bytes))
    return [hex[0..<8], hex[8..<12], hex[12..<16], hex[16..<20], hex[20..<32]].map { String($0) }.joined(separator: "-")
  }

  private static func legal(_ text: String, hashing original: String) -> String {
    let lower = text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    let cleaned = lower.map { isAlphanumeric($0) || $0 == 0x2D ? $0 : 0x2D }
    // A dot is legal only between letters or digits; keeping it out avoids empty labels.
    let dotted = zip(lower, cleaned).enumerated().map { i, pair in
      pair.0 == 0x2E && i > 0 && i + 1 < lower.count && isAlphanumeric(lower[i - 1]) && isAlphanumeric(lower[i + 1]) ? 0x2E : pair.1
    }
    let trimmed = trim(dotted, isAlphanumeric)
    if !trimmed.isEmpty, trimmed.count <= 253, trimmed.elementsEqual(text.utf8) { return text }
    let hash = shortHash(original)
    let head = trim(Array(trimmed.prefix(253 - hash.count - 1)), isAlphanumeric)
    return head.isEmpty ? "x" + hash : String(decoding: head, as: UTF8.self) + "-" + hash
  }

  private static func shortHash(_ text: String) -> String { String(Digest.hex(Digest.sha256(Array(text.utf8))).prefix(8)) }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }

  private static func trim(_ bytes: [UInt8], _ keep: (UInt8) -> Bool) -> [UInt8] {
    guard let first = bytes.firstIndex(where: keep), let last = bytes.lastIndex(where: keep) else { return [] }
    return Array(bytes[first...last])
  }
}
