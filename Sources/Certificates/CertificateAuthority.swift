import COpenSSL
import Glibc

/// A certificate with its key, both PEM. The certificate text may hold intermediates after the leaf.
package struct IssuedCertificate: Sendable {
  package let certificatePEM: String
  package let privateKeyPEM: String

  package init(certificatePEM: String, privateKeyPEM: String) {
    self.certificatePEM = certificatePEM
    self.privateKeyPEM = privateKeyPEM
  }
}

/// What a certificate may be used for (its extended key usage).
package enum CertificateUsage: String, Sendable {
  case server = "serverAuth"
  case client = "clientAuth"
  case serverAndClient = "serverAuth,clientAuth"
}

/// A small certificate authority with keys on P-256: for self-signed serving certificates, the demo and tests.
package struct CertificateAuthority: Sendable {
  package let certificatePEM: String
  package let privateKeyPEM: String
  private let certificate: Certificate
  private let key: PrivateKey

  /// An authority from files. Throws `CertificateError` when they cannot be read or do not belong together.
  package init(certificatePEM: String, privateKeyPEM: String) throws {
    guard let certificate = try Certificate.all(pem: Array(certificatePEM.utf8)).first else {
      throw CertificateError("no certificate found")
    }
    let key = try PrivateKey(pem: Array(privateKeyPEM.utf8))
    guard X509_check_private_key(certificate.pointer, key.pointer) == 1 else {
      throw CertificateError.openSSL("certificate and private key do not belong together")
    }
    (self.certificatePEM, self.privateKeyPEM, self.certificate, self.key) = (certificatePEM, privateKeyPEM, certificate, key)
  }

  private init(certificate: Certificate, key: PrivateKey) throws {
    (self.certificate, self.key, certificatePEM, privateKeyPEM) = (certificate, key, try certificate.pem, try key.pem)
  }

  /// A new root. `notBefore` is in Unix seconds; without it the certificate is valid from 5 minutes ago, for clocks that differ.
  package static func makeSelfSigned(
    commonName: String, validFor: Duration = .seconds(3650 * 86_400), notBefore: Int64? = nil
  ) throws -> CertificateAuthority {
    let key = try PrivateKey()
    let certificate = try Draft(commonName: commonName, validFor: validFor, notBefore: notBefore, authority: true)
      .sign(subjectKey: key, issuer: nil, issuerKey: key)
    return try CertificateAuthority(certificate: certificate, key: key)
  }

  /// An authority below this one. What it issues is to be presented together with its certificate.
  package func makeIntermediate(commonName: String, validFor: Duration = .seconds(3650 * 86_400)) throws -> CertificateAuthority {
    let key = try PrivateKey()
    let certificate = try Draft(commonName: commonName, validFor: validFor, notBefore: nil, authority: true)
      .sign(subjectKey: key, issuer: self.certificate, issuerKey: self.key)
    return try CertificateAuthority(certificate: certificate, key: key)
  }

  /// A new key with a certificate for it. `organizations` become O attributes (groups, to Kubernetes), `dnsNames` and `ipAddresses` the
  /// subject alternative names. Throws `CertificateError` for a name that cannot stand in a certificate.
  package func issue(
    commonName: String, organizations: [String] = [], dnsNames: [String] = [], ipAddresses: [String] = [], usage: CertificateUsage,
    validFor: Duration = .seconds(365 * 86_400), notBefore: Int64? = nil
  ) throws -> IssuedCertificate {
    let key = try PrivateKey()
    var draft = Draft(commonName: commonName, validFor: validFor, notBefore: notBefore, authority: false)
    draft.organizations = organizations
    draft.alternativeNames = try dnsNames.map { "DNS:" + (try Self.plain($0)) } + ipAddresses.map { "IP:" + (try Self.plain($0)) }
    draft.usage = usage
    let issued = try draft.sign(subjectKey: key, issuer: certificate, issuerKey: self.key)
    return IssuedCertificate(certificatePEM: try issued.pem, privateKeyPEM: try key.pem)
  }

  /// Names reach OpenSSL in one comma-separated text, so only what can stand in a DNS name or an address passes.
  private static func plain(_ name: String) throws -> String {
    let legal = name.utf8.allSatisfy { ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || "-._:*".utf8.contains($0) }
    guard legal, !name.isEmpty else { throw CertificateError("\"\(name)\" is neither a DNS name nor an IP address") }
    return name
  }
}

/// A certificate before it is signed.
private struct Draft {
  let commonName: String
  let validFor: Duration
  let notBefore: Int64?
  let authority: Bool
  var organizations: [String] = []
  var alternativeNames: [String] = []
  var usage: CertificateUsage?

  func sign(subjectKey: PrivateKey, issuer: Certificate?, issuerKey: PrivateKey) throws -> Certificate {
    guard let pointer = X509_new() else { throw CertificateError.openSSL("no memory") }
    let made = Certificate(owning: pointer)
    var good = X509_set_version(pointer, 2) == 1 && X509_set_pubkey(pointer, subjectKey.pointer) == 1
    good = good && setSerial(pointer) && setDates(pointer) && setSubject(pointer)
    let issuerPointer = issuer?.pointer ?? pointer
    good = good && X509_set_issuer_name(pointer, X509_get_subject_name(issuerPointer)) == 1
    good = good && extensions().allSatisfy { copenssl_add_extension(pointer, issuerPointer, $0.0, $0.1) == 1 }
    guard good, X509_sign(pointer, issuerKey.pointer, EVP_sha256()) > 0 else {
      throw CertificateError.openSSL("the certificate could not be made")
    }
    return made
  }

  private func setSerial(_ pointer: OpaquePointer) -> Bool {
    // 127 bits: positive, as RFC 5280 4.1.2.2 asks.
    var bytes = SecureRandom.bytes(16)
    bytes[0] = bytes[0] & 0x7F | 0x40
    guard let number = BN_bin2bn(bytes, 16, nil) else { return false }
    defer { BN_free(number) }
    return BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)) != nil
  }

  private func setDates(_ pointer: OpaquePointer) -> Bool {
    let start = notBefore ?? Int64(time(nil)) - 300
    let end = (notBefore ?? Int64(time(nil))) + validFor.components.seconds
    return ASN1_TIME_set(X509_getm_notBefore(pointer), time_t(start)) != nil
      && ASN1_TIME_set(X509_getm_notAfter(pointer), time_t(end)) != nil
  }

  private func setSubject(_ pointer: OpaquePointer) -> Bool {
    let name = X509_get_subject_name(pointer)
    let attributes = organizations.map { ("O", $0) } + [("CN", commonName)]
    return attributes.allSatisfy { kind, value in
      let bytes = Array(value.utf8)
      return X509_NAME_add_entry_by_txt(name, kind, multibyteUTF8, bytes, Int32(bytes.count), -1, 0) == 1
    }
  }

  /// MBSTRING_UTF8, which Swift does not import.
  private var multibyteUTF8: Int32 { 0x1000 }

  private func extensions() -> [(Int32, String)] {
    var list: [(Int32, String)] = [(NID_subject_key_identifier, "hash")]
    list.append((NID_authority_key_identifier, "keyid:always"))
    list.append((NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE"))
    list.append((NID_key_usage, authority ? "critical,keyCertSign,cRLSign,digitalSignature" : "critical,digitalSignature"))
    if let usage { list.append((NID_ext_key_usage, usage.rawValue)) }
    if !alternativeNames.isEmpty { list.append((NID_subject_alt_name, alternativeNames.joined(separator: ","))) }
    return list
  }
}
