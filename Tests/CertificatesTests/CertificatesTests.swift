import Certificates
import Testing

@Suite struct DigestTests {
  @Test func knownAnswers() {
    #expect(Digest.hex(Digest.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(Digest.hex(Digest.sha256(Array("abc".utf8))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(Digest.hex(Digest.sha1(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(Digest.hex(Digest.sha512(Array("abc".utf8))).hasPrefix("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"))
    // RFC 4231, case 2.
    let code = Digest.hmacSHA256(key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8))
    #expect(Digest.hex(code) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(Digest.hex(Digest.hmacSHA256(key: [], message: [])) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }

  @Test func comparison() {
    #expect(Digest.constantTimeEquals([1, 2], [1, 2]))
    #expect(!Digest.constantTimeEquals([1, 2], [1, 3]))
    #expect(!Digest.constantTimeEquals([1, 2], [1]))
  }

  @Test func randomBytesDiffer() {
    #expect(SecureRandom.bytes(16).count == 16)
    #expect(SecureRandom.bytes(16) != SecureRandom.bytes(16))
    #expect(SecureRandom.bytes(0).isEmpty)
  }
}

@Suite struct CertificateAuthorityTests {
  let authority: CertificateAuthority

  init() throws { authority = try .makeSelfSigned(commonName: "test-ca") }

  func der(_ issued: IssuedCertificate) throws -> [UInt8] {
    try #require(try CertificateBundle(pem: Array(issued.certificatePEM.utf8)).derCertificates.first)
  }

  @Test func clientCertificateVerifiesAgainstItsAuthorityOnly() throws {
    let bundle = try CertificateBundle(pem: Array(authority.certificatePEM.utf8))
    let foreign = try CertificateBundle(pem: Array(CertificateAuthority.makeSelfSigned(commonName: "other").certificatePEM.utf8))
    let leaf = try der(authority.issue(commonName: "jane", organizations: ["devs", "ops,eu"], usage: .client))
    #expect(bundle.verifiesClient([leaf]))
    #expect(!foreign.verifiesClient([leaf]))
    let subject = try #require(CertificateSubject(der: leaf))
    #expect(subject.commonName == "jane")
    #expect(subject.organizations == ["devs", "ops,eu"])
    #expect(subject.fingerprint == Digest.hex(Digest.sha256(leaf)))
  }

  @Test func serverUsageAndExpiryAreRefused() throws {
    let bundle = try CertificateBundle(pem: Array(authority.certificatePEM.utf8))
    let server = try der(authority.issue(commonName: "s", dnsNames: ["localhost"], ipAddresses: ["127.0.0.1", "::1"], usage: .server))
    #expect(!bundle.verifiesClient([server]))
    let old = try der(authority.issue(commonName: "old", usage: .client, validFor: .seconds(10), notBefore: 1_600_000_000))
    #expect(!bundle.verifiesClient([old]))
    let young = try der(authority.issue(commonName: "young", usage: .client))
    #expect(!bundle.verifiesClient([young], at: 4_102_444_800))
  }

  @Test func intermediatesAreFollowed() throws {
    let bundle = try CertificateBundle(pem: Array(authority.certificatePEM.utf8))
    let middle = try authority.makeIntermediate(commonName: "middle")
    let leaf = try der(middle.issue(commonName: "jane", usage: .client))
    let middleBundle = try CertificateBundle(pem: Array(middle.certificatePEM.utf8))
    #expect(!bundle.verifiesClient([leaf]))
    #expect(bundle.verifiesClient([leaf] + middleBundle.derCertificates))
    // A bundle that holds only the intermediate trusts it, as Go does.
    #expect(middleBundle.verifiesClient([leaf]))
  }

  @Test func servingPairMustBelongTogether() throws {
    let one = try authority.issue(commonName: "a", dnsNames: ["a"], usage: .server, validFor: .seconds(1000), notBefore: 1_700_000_000)
    let two = try authority.issue(commonName: "b", dnsNames: ["b"], usage: .server)
    #expect(throws: CertificateError.self) {
      try ServingPair(certificatePEM: Array(one.certificatePEM.utf8), privateKeyPEM: Array(two.privateKeyPEM.utf8))
    }
    let pair = try ServingPair(certificatePEM: Array(one.certificatePEM.utf8), privateKeyPEM: Array(one.privateKeyPEM.utf8))
    #expect(pair.notAfter == 1_700_001_000)
  }

  @Test(arguments: ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
  func brokenTextIsRefused(_ text: String) {
    #expect(throws: CertificateError.self) { try CertificateBundle(pem: Array(text.utf8)) }
    #expect(throws: CertificateError.self) { try CertificateAuthority(certificatePEM: text, privateKeyPEM: text) }
  }

  @Test func authorityFromItsFiles() throws {
    let again = try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: authority.privateKeyPEM)
    let bundle = try CertificateBundle(pem: Array(authority.certificatePEM.utf8))
    #expect(bundle.verifiesClient([try der(again.issue(commonName: "x", usage: .client))]))
  }

  @Test func namesThatWouldChangeTheExtensionAreRefused() {
    #expect(throws: CertificateError.self) { try authority.issue(commonName: "x", dnsNames: ["a,DNS:b"], usage: .server) }
  }
}
