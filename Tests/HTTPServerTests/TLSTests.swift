import Certificates
import Foundation
import HTTPMessage
import HTTPServer
import Logging
import Testing

@Suite(.serialized) struct TLSTests {
  @Test(arguments: ["--http1.1", "--http2"])
  func requestsOverBothProtocols(_ version: String) async throws {
    let fixture = try await Fixture()
    let get = try await fixture.curl(version, "-w", " %{http_version} %{http_code}", fixture.url("/a/b?c=d%20e"))
    #expect(get.output == "GET /a/b [c=d%20e] 0 \(version == "--http2" ? "2" : "1.1") 200", "\(get.errors)")
    let body = try fixture.write("body", String(repeating: "x", count: 1_000_000))
    let post = try await fixture.curl(version, "--data-binary", "@\(body)", fixture.url("/p"))
    #expect(post.output == "POST /p [] 1000000", "\(post.errors)")
    let full = try fixture.write("full", String(repeating: "x", count: 3_145_728))
    let exact = try await fixture.curl(version, "--data-binary", "@\(full)", fixture.url("/p"))
    #expect(exact.output == "POST /p [] 3145728", "\(exact)")
    let status =
      #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Request entity too large: limit is 3145728","reason":"RequestEntityTooLarge","code":413}"#
    if version == "--http2" {
      // curl forgets an answer when it reads it together with the reset that comes after it.
      for length in [[("content-length", "3145729")], []] {
        let client = try await H2Client(port: fixture.port)
        let refused = try await client.open("/p", method: "POST", extra: length, end: false)
        try? await refused.send(String(repeating: "x", count: 3_145_729), end: true)
        #expect(await eventually { refused.now.status == "413" && refused.now.body.contains(status) }, "\(refused.now)")
        await client.close()
      }
    } else {
      let over = try fixture.write("over", String(repeating: "x", count: 3_145_729))
      for extra in [[], ["-H", "Expect:"], ["-H", "Transfer-Encoding: chunked"]] {
        let refused = try await run(
          "curl",
          ["-sS", version, "--cacert", fixture.path("ca.crt"), "-w", " %{http_code}", "--data-binary", "@\(over)", fixture.url("/p")]
            + extra)
        #expect(refused.output.hasSuffix(" 413") && refused.output.contains(status), "\(refused)")
      }
    }
    let head = try await fixture.curl(version, "-I", fixture.url("/h"))
    #expect(head.output.lowercased().contains("content-length: 12\r\n"))
    let large = try await fixture.curl(version, "-o", "/dev/null", "-w", "%{size_download}", fixture.url("/large"))
    #expect(large.output == "2000000")
    await fixture.stop()
  }

  @Test(arguments: ["--http1.1", "--http2"])
  func watchFlushesAndSeesItsEnd(_ version: String) async throws {
    let fixture = try await Fixture()
    let arguments = ["-sSN", version, "--cacert", fixture.path("ca.crt"), fixture.url("/watch")]
    let watching = try RunningProgram("curl", arguments)
    #expect(await eventually { fixture.responder.watches.count == 1 })
    let stream = fixture.responder.watches[0]
    for number in 1...3 {
      stream.feed(.bytes(Array("event \(number)\n".utf8)))
      #expect(await eventually { watching.text.hasSuffix("event \(number)\n") })
    }
    stream.feed(.end)
    let ended = await watching.wait()
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(ended.output == "event 1\nevent 2\nevent 3\n")
    let killed = try RunningProgram("curl", arguments)
    #expect(await eventually { fixture.responder.watches.count == 2 && fixture.responder.watches[1].isStarted })
    killed.terminate()
    #expect(await eventually { fixture.responder.watches[1].isCancelled })
    await fixture.stop()
  }

  @Test func clientCertificates() async throws {
    let fixture = try await Fixture()
    let foreign = try CertificateAuthority.makeSelfSigned(commonName: "client-ca")
    let middle = try fixture.clientCA.makeIntermediate(commonName: "middle")
    let below = try middle.issue(commonName: "deep", usage: .client)
    let cases: [(String, IssuedCertificate, String)] = [
      ("jane", try fixture.clientCA.issue(commonName: "jane", organizations: ["devs", "ops"], usage: .client), "1 jane devs|ops"),
      ("proxy", try fixture.proxyCA.issue(commonName: "front-proxy", usage: .client), "2 front-proxy "),
      ("foreign", try foreign.issue(commonName: "jane", usage: .client), "unknown"),
      ("server", try fixture.clientCA.issue(commonName: "jane", usage: .server), "unknown"),
      (
        "expired", try fixture.clientCA.issue(commonName: "jane", usage: .client, validFor: .seconds(60), notBefore: 1_600_000_000),
        "unknown"
      ),
      (
        "deep", IssuedCertificate(certificatePEM: below.certificatePEM + middle.certificatePEM, privateKeyPEM: below.privateKeyPEM),
        "1 deep "
      ),
    ]
    for version in ["--http1.1", "--http2"] {
      for limit in ["1.2", "1.3"] {
        let options = [version, "--tls-max", limit]
        let none = try await run("curl", ["-sS", "--cacert", fixture.path("ca.crt"), fixture.url("/whoami")] + options)
        #expect(none.output == "anonymous", "\(none.errors)")
        for (name, issued, expected) in cases {
          let certificate = try fixture.write("\(name).crt", issued.certificatePEM)
          let key = try fixture.write("\(name).key", issued.privateKeyPEM)
          let ran = try await run(
            "curl", ["-sS", "--cacert", fixture.path("ca.crt"), "--cert", certificate, "--key", key, fixture.url("/whoami")] + options)
          #expect(ran.output == expected, "\(name) \(options) \(ran.errors)")
        }
      }
    }
    await fixture.stop()
  }

  /// A resumed session must not lose, or invent, an identity.
  @Test(arguments: ["-tls1_2", "-tls1_3"])
  func resumptionKeepsTheIdentity(_ version: String) async throws {
    let fixture = try await Fixture()
    let issued = try fixture.clientCA.issue(commonName: "jane", usage: .client)
    let certificate = try fixture.write("c.crt", issued.certificatePEM)
    let key = try fixture.write("c.key", issued.privateKeyPEM)
    let session = fixture.path("session")
    for flag in ["-sess_out", "-sess_in"] {
      let request = #"printf 'GET /whoami HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'; sleep 1"#
      let client =
        "openssl s_client \(version) -quiet -connect localhost:\(fixture.port) -cert \(certificate) -key \(key) \(flag) \(session)"
      let ran = try await run("sh", ["-c", "(\(request)) | \(client)"])
      #expect(ran.output.hasSuffix("1 jane "), "\(flag) \(ran.output) \(ran.errors)")
    }
    await fixture.stop()
  }

  @Test func hotReloadKeepsTheWatchAndServesTheNewCertificate() async throws {
    let fixture = try await Fixture()
    let watching = try RunningProgram("curl", ["-sSN", "--http2", "--cacert", fixture.path("ca.crt"), fixture.url("/watch")])
    #expect(await eventually { fixture.responder.watches.count == 1 })
    let stream = fixture.responder.watches[0]
    let old = fixture.tls.servingFingerprint
    #expect(!fixture.tls.reload())

    let other = try CertificateAuthority.makeSelfSigned(commonName: "other")
    let renewed = try other.issue(commonName: "renewed", dnsNames: ["localhost"], usage: .server)
    _ = try fixture.write("tls.crt", renewed.certificatePEM)
    #expect(!fixture.tls.reload(), "the key does not belong to the certificate yet")
    #expect(fixture.tls.servingFingerprint == old)
    #expect(try await fixture.curl(fixture.url("/x")).status == 0)
    _ = try fixture.write("tls.key", renewed.privateKeyPEM)
    #expect(fixture.tls.reload())
    #expect(fixture.tls.servingFingerprint != old)
    #expect(try await fixture.curl(fixture.url("/x")).status == 60)
    let ca = try fixture.write("other.crt", other.certificatePEM)
    #expect(try await run("curl", ["-sS", "--cacert", ca, fixture.url("/x")]).output == "GET /x [] 0")

    // The CA for clients as well.
    let issued = try other.issue(commonName: "new-jane", usage: .client)
    let certificate = try fixture.write("n.crt", issued.certificatePEM)
    let key = try fixture.write("n.key", issued.privateKeyPEM)
    #expect(
      try await run("curl", ["-sS", "--cacert", ca, "--cert", certificate, "--key", key, fixture.url("/whoami")]).output == "unknown")
    _ = try fixture.write("client-ca.crt", other.certificatePEM)
    #expect(fixture.tls.reload())
    #expect(
      try await run("curl", ["-sS", "--cacert", ca, "--cert", certificate, "--key", key, fixture.url("/whoami")]).output == "1 new-jane ")

    // From elsewhere, and staying when the files are looked at again.
    #expect(fixture.tls.replaceAuthorities(clientCA: nil, requestHeaderCA: .pem(other.certificatePEM)))
    #expect(!fixture.tls.replaceAuthorities(clientCA: .pem("broken"), requestHeaderCA: .pem(other.certificatePEM)))
    #expect(!fixture.tls.reload())
    #expect(
      try await run("curl", ["-sS", "--cacert", ca, "--cert", certificate, "--key", key, fixture.url("/whoami")]).output == "2 new-jane ")

    stream.feed(.bytes(Array("still here\n".utf8)), .end)
    let ended = await watching.wait()
    #expect(ended.status == 0 && ended.output == "still here\n", "\(ended)")
    await fixture.stop()
  }

  /// A withdrawn CA is no longer trusted though the serving pair cannot be used at that moment, or the other CA.
  @Test func eachPartIsReplacedApartFromTheOthers() async throws {
    let fixture = try await Fixture()
    let other = try CertificateAuthority.makeSelfSigned(commonName: "other")
    let issued = try other.issue(commonName: "new", usage: .client)
    let certificate = try fixture.write("n.crt", issued.certificatePEM)
    let key = try fixture.write("n.key", issued.privateKeyPEM)
    func whoami() async throws -> String { try await fixture.curl("--cert", certificate, "--key", key, fixture.url("/whoami")).output }
    func rules(_ name: String) -> RequestHeaderRules { RequestHeaderRules(allowedNames: [name]) }
    func rulesInUse() -> [String]? { fixture.responder.requests.last?.peer.certificate?.requestHeaderRules?.allowedNames }

    let old = fixture.tls.servingFingerprint
    let renewed = try fixture.serving.issue(commonName: "renewed", dnsNames: ["localhost"], usage: .server)
    _ = try fixture.write("tls.crt", renewed.certificatePEM)
    #expect(
      fixture.tls.replaceAuthorities(clientCA: nil, requestHeaderCA: .pem(other.certificatePEM), requestHeaderRules: rules("mismatch")))
    #expect(fixture.tls.servingFingerprint == old)
    #expect(try await whoami() == "2 new ")
    #expect(rulesInUse() == ["mismatch"])
    #expect(!fixture.tls.reload())
    _ = try fixture.write("tls.key", renewed.privateKeyPEM)
    #expect(fixture.tls.reload())
    #expect(fixture.tls.servingFingerprint != old)

    // A file that is not there yet: wanted all the same, and taken when it comes.
    let late = TLSSource.file(fixture.path("late.crt"))
    #expect(
      !fixture.tls.replaceAuthorities(clientCA: .pem(other.certificatePEM), requestHeaderCA: late, requestHeaderRules: rules("late")))
    #expect(try await whoami() == "3 new ", "the client CA is new, the other still the old")
    #expect(rulesInUse() == ["mismatch"], "the rules are those of the old CA")
    _ = try fixture.write("late.crt", fixture.proxyCA.certificatePEM)
    #expect(fixture.tls.reload())
    #expect(try await whoami() == "1 new ")
    #expect(rulesInUse() == nil, "who is not the front proxy has nothing to do with its rules")
    #expect(!fixture.tls.reload())
    // Other rules for what is in use already.
    #expect(
      fixture.tls.replaceAuthorities(clientCA: nil, requestHeaderCA: .pem(other.certificatePEM), requestHeaderRules: rules("first")))
    _ = try await whoami()
    #expect(rulesInUse() == ["first"])
    #expect(
      fixture.tls.replaceAuthorities(clientCA: nil, requestHeaderCA: .pem(other.certificatePEM), requestHeaderRules: rules("second")))
    #expect(try await whoami() == "2 new ")
    #expect(rulesInUse() == ["second"])
    await fixture.stop()
  }

  /// One connection, whose CA is taken away and given back while it is open.
  @Test func anOpenConnectionIsWorthWhatItsCAIsWorthNow() async throws {
    let fixture = try await Fixture()
    let issued = try fixture.clientCA.issue(commonName: "jane", usage: .client)
    let certificate = try fixture.write("c.crt", issued.certificatePEM)
    let key = try fixture.write("c.key", issued.privateKeyPEM)
    let pipe = fixture.path("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    let client = try RunningProgram(
      "sh", ["-c", "openssl s_client -quiet -connect localhost:\(fixture.port) -cert \(certificate) -key \(key) 2>/dev/null <\(pipe)"])
    let requests = try FileHandle(forWritingTo: URL(fileURLWithPath: pipe))
    func ask() throws { try requests.write(contentsOf: Data("GET /whoami HTTP/1.1\r\nHost: a\r\n\r\n".utf8)) }
    try ask()
    #expect(await eventually { client.text.hasSuffix("1 jane ") })
    let other = try CertificateAuthority.makeSelfSigned(commonName: "other")
    #expect(fixture.tls.replaceAuthorities(clientCA: .pem(other.certificatePEM), requestHeaderCA: nil))
    try ask()
    #expect(await eventually { client.text.hasSuffix("unknown") }, "\(client.text)")
    #expect(fixture.tls.replaceAuthorities(clientCA: nil, requestHeaderCA: .pem(fixture.clientCA.certificatePEM)))
    try ask()
    #expect(await eventually { client.text.hasSuffix("2 jane ") }, "\(client.text)")
    // What counts is what the certificate is worth when the request is whole, with the rules of that CA.
    func replace(_ authority: CertificateAuthority, _ name: String) -> Bool {
      fixture.tls.replaceAuthorities(
        clientCA: nil, requestHeaderCA: .pem(authority.certificatePEM), requestHeaderRules: RequestHeaderRules(allowedNames: [name]))
    }
    #expect(replace(fixture.clientCA, "old"))
    try requests.write(contentsOf: Data("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n".utf8))
    try requests.write(contentsOf: Data(repeating: 120, count: 8_999))
    #expect(await eventually { fixture.server.unfinishedBytes > 0 })
    #expect(replace(other, "new"))
    try requests.write(contentsOf: Data([120]))
    #expect(await eventually { fixture.responder.requests.count == 4 })
    #expect(fixture.responder.requests.last?.peer.certificate == nil)
    #expect(replace(fixture.clientCA, "again"))
    try ask()
    #expect(await eventually { fixture.responder.requests.count == 5 })
    #expect(fixture.responder.requests.last?.peer.certificate?.requestHeaderRules?.allowedNames == ["again"])
    try requests.close()
    client.terminate()
    await fixture.stop()
  }

  @Test func filesAreLookedAtByThemselves() async throws {
    let fixture = try await Fixture { $0.reloadInterval = .milliseconds(50) }
    let old = fixture.tls.servingFingerprint
    let renewed = try fixture.serving.issue(commonName: "renewed", dnsNames: ["localhost"], usage: .server)
    _ = try fixture.write("tls.crt", renewed.certificatePEM)
    _ = try fixture.write("tls.key", renewed.privateKeyPEM)
    #expect(await eventually { fixture.tls.servingFingerprint != old })
    await fixture.stop()
  }

  @Test func silentHandshakeIsCut() async throws {
    let fixture = try await Fixture { $0.handshakeTimeout = .milliseconds(200) }
    let raw = try RawConnection(port: fixture.port)
    #expect(await raw.isAtEnd)
    #expect(await eventually { fixture.server.openConnections == 0 })
    await fixture.stop()
  }

  @Test func handshakesBeyondTheLimitWaitForTheirTurn() async throws {
    let fixture = try await Fixture {
      $0.maximumHandshakes = 1
      $0.handshakeTimeout = .seconds(2)
    }
    let silent = try (0..<4).map { _ in try RawConnection(port: fixture.port) }
    let ran = try await fixture.curl(fixture.url("/x"))
    #expect(ran.output == "GET /x [] 0", "\(ran.errors)")
    withExtendedLifetime(silent) {}
    await fixture.stop()
  }

  @Test(arguments: ["--http1.1", "--http2"])
  func shutdownEndsWatchesCleanlyAndRequestsGoOn(_ version: String) async throws {
    let fixture = try await Fixture()
    let watching = try RunningProgram("curl", ["-sSN", version, "--cacert", fixture.path("ca.crt"), fixture.url("/watch")])
    #expect(await eventually { fixture.responder.watches.count == 1 && fixture.responder.watches[0].isStarted })
    fixture.responder.watches[0].feed(.bytes(Array("before\n".utf8)))
    #expect(await eventually { watching.text == "before\n" })
    let held = try RunningProgram("curl", ["-sS", version, "--cacert", fixture.path("ca.crt"), fixture.url("/held")])
    #expect(await eventually { fixture.responder.requests.count == 2 })
    let began = ContinuousClock.now
    async let stopped: Void = fixture.server.shutdown(grace: .seconds(600))
    #expect(await eventually { fixture.responder.watches[0].isFinished })
    fixture.responder.releaseHeld()
    await stopped
    #expect(ContinuousClock.now - began < .seconds(300))
    let watched = await watching.wait()
    #expect(watched.status == 0 && watched.output == "before\n", "\(watched)")
    let answered = await held.wait()
    #expect(answered.output == "held", "\(answered)")
    #expect(try await fixture.curl(fixture.url("/x")).status == 7)
    await fixture.stop()
  }

  @Test func shutdownCutsWhatDoesNotEnd() async throws {
    let fixture = try await Fixture()
    let slow = try RunningProgram("curl", ["-sS", "--cacert", fixture.path("ca.crt"), fixture.url("/slow")])
    #expect(await eventually { fixture.responder.requests.count == 1 })
    let began = ContinuousClock.now
    await fixture.server.shutdown(grace: .milliseconds(200))
    #expect(ContinuousClock.now - began < .seconds(300))
    #expect(fixture.responder.cancellations == 1)
    #expect(await slow.wait().status != 0)
    await fixture.stop()
  }

  @Test func optionsAreChecked() throws {
    var options = TLSOptions()
    options.cipherSuites = ["TLS_NULL"]
    let ca = try CertificateAuthority.makeSelfSigned(commonName: "ca")
    let issued = try ca.issue(commonName: "s", dnsNames: ["localhost"], usage: .server)
    let sources = TLSMaterial.Sources(certificate: .pem(issued.certificatePEM), privateKey: .pem(issued.privateKeyPEM))
    #expect(throws: TLSMaterialError.self) { try TLSMaterial(sources, options: options, logger: .init(label: "test")) }
    let missing = TLSMaterial.Sources(certificate: .file("no-such-file"), privateKey: .pem(issued.privateKeyPEM))
    let error = #expect(throws: TLSMaterialError.self) { try TLSMaterial(missing, logger: .init(label: "test")) }
    #expect(error?.description == "the serving certificate no-such-file: No such file or directory")
  }

  @Test func minimumVersionIsHeld() async throws {
    let ca = try CertificateAuthority.makeSelfSigned(commonName: "ca")
    let issued = try ca.issue(commonName: "s", dnsNames: ["localhost"], usage: .server)
    var options = TLSOptions()
    options.minimumVersion = .tls13
    let strict = try TLSMaterial(
      .init(certificate: .pem(issued.certificatePEM), privateKey: .pem(issued.privateKeyPEM)), options: options,
      logger: .init(label: "test"))
    let fixture = try await Fixture { $0.tls = strict }
    let path = try fixture.write("strict.crt", ca.certificatePEM)
    #expect(try await run("curl", ["-sS", "--cacert", path, "--tls-max", "1.2", fixture.url("/x")]).status == 35)
    #expect(try await run("curl", ["-sS", "--cacert", path, fixture.url("/x")]).status == 0)
    await fixture.stop()
  }
}

@Suite struct LoopbackAddressTests {
  @Test(arguments: [
    ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("[::1]", true), ("localhost", true), ("::ffff:127.0.0.1", true),
    ("0.0.0.0", false), ("::", false), ("10.0.0.1", false), ("128.0.0.1", false), ("example.com", false), ("::ffff:10.0.0.1", false),
    ("", false),
  ])
  func tells(_ host: String, _ expected: Bool) { #expect(LoopbackAddress.contains(host) == expected) }
}
