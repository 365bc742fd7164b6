import NIOSSL

/// Which TLS the server speaks.
package struct TLSOptions: Sendable {
  package enum Version: String, Sendable, CaseIterable {
    case tls12 = "VersionTLS12"
    case tls13 = "VersionTLS13"
  }

  package var minimumVersion = Version.tls12
  /// IANA names, as --tls-cipher-suites takes them; empty takes the defaults. Those of TLS 1.3 cannot be chosen.
  package var cipherSuites: [String] = []

  package init() {}

  /// The names that `cipherSuites` may hold.
  package static var knownCipherSuites: [String] { table.map(\.name) }

  private static let table: [(name: String, cipher: NIOTLSCipher)] = [
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", .TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", .TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", .TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", .TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA),
  ]
  /// Without the CBC suites, which HTTP/2 forbids (RFC 9113 appendix A).
  private static let defaults = table.prefix(6).map(\.cipher)

  /// Throws `TLSMaterialError` that names an unknown suite.
  var ciphers: [NIOTLSCipher] {
    get throws {
      if cipherSuites.isEmpty { return Self.defaults }
      return try cipherSuites.map { name in
        guard let entry = Self.table.first(where: { $0.name == name }) else {
          let known = Self.knownCipherSuites.joined(separator: ", ")
          throw TLSMaterialError("cipher suite \(name) is unknown; known are \(known)")
        }
        return entry.cipher
      }
    }
  }
}

/// Why the TLS material cannot be used: which file, and what is wrong with it.
package struct TLSMaterialError: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}
