import COpenSSL

/// What a certificate says about its holder.
package struct CertificateSubject: Sendable, Hashable {
  /// The last CN, as Go's pkix.Name reads it; empty when there is none.
  package let commonName: String
  /// Every O, in order.
  package let organizations: [String]
  /// SHA-256 over the DER form, lower-case hex.
  package let fingerprint: String
  /// Unix seconds; the certificate is no longer valid after that.
  package let notAfter: Int64

  /// Nil when the bytes are no certificate.
  package init?(der: [UInt8]) {
    guard let certificate = Certificate(der: der) else { return nil }
    commonName = certificate.subjectValues(NID_commonName).last ?? ""
    organizations = certificate.subjectValues(NID_organizationName)
    fingerprint = Digest.hex(Digest.sha256(der))
    notAfter = ServingPair.notAfter(certificate)
  }
}
