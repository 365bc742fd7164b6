import COpenSSL

/// A serving certificate and its key, checked to belong together before a server uses them.
package struct ServingPair: Sendable, Hashable {
  package let certificatePEM: [UInt8]
  package let privateKeyPEM: [UInt8]
  /// SHA-256 over the leaf's DER form, lower-case hex: safe to log.
  package let fingerprint: String
  /// Unix seconds; the certificate is no longer valid after that.
  package let notAfter: Int64

  /// Throws `CertificateError` when either cannot be read or they do not belong together. An expired certificate is accepted.
  package init(certificatePEM: [UInt8], privateKeyPEM: [UInt8]) throws {
    guard let leaf = try Certificate.all(pem: certificatePEM).first else { throw CertificateError("no certificate found") }
    let key = try PrivateKey(pem: privateKeyPEM)
    guard X509_check_private_key(leaf.pointer, key.pointer) == 1 else {
      throw CertificateError.openSSL("certificate and private key do not belong together")
    }
    self.certificatePEM = certificatePEM
    self.privateKeyPEM = privateKeyPEM
    fingerprint = Digest.hex(Digest.sha256(leaf.der))
    notAfter = Self.notAfter(leaf)
  }

  static func notAfter(_ leaf: Certificate) -> Int64 {
    guard let epoch = ASN1_TIME_set(nil, 0), let end = X509_get0_notAfter(leaf.pointer) else { return 0 }
    defer { ASN1_STRING_free(epoch) }
    var days: Int32 = 0
    var seconds: Int32 = 0
    guard ASN1_TIME_diff(&days, &seconds, epoch, end) == 1 else { return 0 }
    return Int64(days) * 86_400 + Int64(seconds)
  }
}
