import Certificates
import HTTPMessage
package import Logging
import NIOCore
import NIOSSL
import Synchronization

/// Where a certificate, a key or a CA bundle comes from.
package enum TLSSource: Sendable, Hashable {
  /// A PEM file; read again when its content changes.
  case file(String)
  /// PEM text held in memory.
  case pem(String)
}

/// The serving certificate and the two CA bundles, as they are now. New handshakes use what the last successful `reload` found; open
/// connections keep what they began with.
package final class TLSMaterial: Sendable {
  /// What is read and replaced together.
  package struct Sources: Sendable {
    /// The leaf and then its intermediates.
    package var certificate: TLSSource
    package var privateKey: TLSSource
    /// --client-ca-file.
    package var clientCA: TLSSource?
    /// --requestheader-client-ca-file.
    package var requestHeaderCA: TLSSource?

    package init(certificate: TLSSource, privateKey: TLSSource, clientCA: TLSSource? = nil, requestHeaderCA: TLSSource? = nil) {
      self.certificate = certificate
      self.privateKey = privateKey
      self.clientCA = clientCA
      self.requestHeaderCA = requestHeaderCA
    }
  }

  /// One consistent set, ready for handshakes.
  final class Snapshot: Sendable {
    let context: NIOSSLContext
    let pair: ServingPair
    let clientCA: CertificateBundle?
    let requestHeaderCA: CertificateBundle?
    /// The intermediates that came with a verified leaf. When a client resumes a session, TLS shows us its leaf again, but not these.
    private let intermediates = Mutex<[[UInt8]: [[UInt8]]]>([:])

    init(context: NIOSSLContext, pair: ServingPair, clientCA: CertificateBundle?, requestHeaderCA: CertificateBundle?) {
      self.context = context
      self.pair = pair
      self.clientCA = clientCA
      self.requestHeaderCA = requestHeaderCA
    }

    var asksForCertificates: Bool { clientCA != nil || requestHeaderCA != nil }

    /// What the certificate (DER, leaf first) is worth to us; nil when neither CA vouches for it.
    func identify(_ chain: [[UInt8]]) -> ClientCertificate? {
      var authorities: ClientCertificate.Authorities = []
      if clientCA?.verifiesClient(chain) == true { authorities.insert(.client) }
      if requestHeaderCA?.verifiesClient(chain) == true { authorities.insert(.requestHeader) }
      if !authorities.isEmpty, chain.count > 1 {
        intermediates.withLock { known in
          if known.count >= 4_096 { known.removeAll() }
          known[chain[0]] = Array(chain.dropFirst())
        }
      }
      guard !authorities.isEmpty, let leaf = chain.first, let subject = CertificateSubject(der: leaf) else { return nil }
      return ClientCertificate(
        authorities: authorities, commonName: subject.commonName, organizations: subject.organizations, fingerprint: subject.fingerprint,
        notAfter: subject.notAfter)
    }

    /// For a resumed session, in which nobody asks for verification. A session can only be resumed with the context that it began with, so
    /// the CAs are the same; the certificate may have expired since.
    func chain(ofResumed leaf: [UInt8]) -> [[UInt8]] { [leaf] + (intermediates.withLock { $0[leaf] } ?? []) }
  }

  private struct State {
    var sources: Sources
    var contents: Contents
    var snapshot: Snapshot
    var reportedProblem: String?
  }

  private let options: TLSOptions
  private let logger: Logger
  private let state: Mutex<State>
  private let replacing = Mutex(())

  /// Throws `TLSMaterialError` when something cannot be read or used.
  package init(_ sources: Sources, options: TLSOptions = TLSOptions(), logger: Logger) throws {
    let contents = try Contents(sources)
    let snapshot = try Self.makeSnapshot(contents, options: options)
    self.options = options
    self.logger = logger
    state = Mutex(State(sources: sources, contents: contents, snapshot: snapshot))
  }

  var current: Snapshot { state.withLock { $0.snapshot } }

  /// SHA-256 of the serving certificate, lower-case hex.
  package var servingFingerprint: String { current.pair.fingerprint }
  /// Unix seconds.
  package var servingNotAfter: Int64 { current.pair.notAfter }

  /// Looks at the files again. True when new material came into use. What cannot be used leaves the old in place and is logged once, with
  /// the file and the reason, until it changes. Reads files: not for an event loop.
  @discardableResult
  package func reload() -> Bool {
    use { _ in }
  }

  /// Takes CA bundles from elsewhere, such as the cluster's ConfigMap. Nil keeps none. As `reload`, what cannot be used changes nothing.
  @discardableResult
  package func replaceAuthorities(clientCA: TLSSource?, requestHeaderCA: TLSSource?) -> Bool {
    use { sources in (sources.clientCA, sources.requestHeaderCA) = (clientCA, requestHeaderCA) }
  }

  private func use(_ change: (inout Sources) -> Void) -> Bool {
    // One at a time, or a slow reload could undo a replacement.
    replacing.withLock { _ in
      var sources = state.withLock { $0.sources }
      change(&sources)
      return use(sources)
    }
  }

  private func use(_ sources: Sources) -> Bool {
    do {
      let contents = try Contents(sources)
      let isKnown = state.withLock { state in
        guard state.contents == contents else { return false }
        state.sources = sources
        state.reportedProblem = nil
        return true
      }
      guard !isKnown else { return false }
      let snapshot = try Self.makeSnapshot(contents, options: options)
      state.withLock { $0 = State(sources: sources, contents: contents, snapshot: snapshot, reportedProblem: nil) }
      logger.notice("TLS material reloaded", metadata: ["fingerprint": "\(snapshot.pair.fingerprint)"])
      return true
    } catch {
      let problem = "\(error)"
      let isNew = state.withLock { state in
        defer { state.reportedProblem = problem }
        return state.reportedProblem != problem
      }
      if isNew { logger.error("TLS material not reloaded, the old stays in use", metadata: ["reason": "\(problem)"]) }
      return false
    }
  }

  // MARK: Reading

  /// The bytes of every source, each with the name that an error calls it by.
  private struct Contents: Hashable {
    struct Item: Hashable {
      let name: String
      let pem: [UInt8]
    }
    let certificate: Item
    let privateKey: Item
    let clientCA: Item?
    let requestHeaderCA: Item?

    init(_ sources: Sources) throws {
      certificate = try Self.read(sources.certificate, "the serving certificate")
      privateKey = try Self.read(sources.privateKey, "the serving key")
      clientCA = try sources.clientCA.map { try Self.read($0, "the client CA") }
      requestHeaderCA = try sources.requestHeaderCA.map { try Self.read($0, "the requestheader CA") }
    }

    private static func read(_ source: TLSSource, _ role: String) throws -> Item {
      switch source {
      case .pem(let text): return Item(name: role, pem: Array(text.utf8))
      case .file(let path):
        do {
          return Item(name: "\(role) \(path)", pem: try FileContent.read(path))
        } catch {
          throw TLSMaterialError("\(role) \(path): \(error)")
        }
      }
    }
  }

  private static func makeSnapshot(_ contents: Contents, options: TLSOptions) throws -> Snapshot {
    let pair: ServingPair
    do {
      pair = try ServingPair(certificatePEM: contents.certificate.pem, privateKeyPEM: contents.privateKey.pem)
    } catch {
      throw TLSMaterialError("\(contents.certificate.name) with \(contents.privateKey.name): \(error)")
    }
    func bundle(_ item: Contents.Item?) throws -> CertificateBundle? {
      guard let item else { return nil }
      do { return try CertificateBundle(pem: item.pem) } catch { throw TLSMaterialError("\(item.name): \(error)") }
    }
    let clientCA = try bundle(contents.clientCA)
    let requestHeaderCA = try bundle(contents.requestHeaderCA)
    let ciphers = try options.ciphers
    do {
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMBytes(pair.certificatePEM).map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(bytes: pair.privateKeyPEM, format: .pem)))
      configuration.applicationProtocols = ["h2", "http/1.1"]
      configuration.minimumTLSVersion = options.minimumVersion == .tls13 ? .tlsv13 : .tlsv12
      configuration.cipherSuiteValues = ciphers
      // NIOSSL waits 5 s for the peer's goodbye otherwise, and so does every shutdown.
      configuration.shutdownTimeout = .seconds(1)
      let anchors = (clientCA?.derCertificates ?? []) + (requestHeaderCA?.derCertificates ?? [])
      if !anchors.isEmpty {
        // Asks for a certificate and takes none for an answer; verification is `identify`'s. The names of both CAs are sent, since a Go
        // client picks its certificate by them (kubernetes-wire F8).
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates(try anchors.map { try NIOSSLCertificate(bytes: $0, format: .der) })
        configuration.sendCANameList = true
      }
      return Snapshot(
        context: try NIOSSLContext(configuration: configuration), pair: pair, clientCA: clientCA, requestHeaderCA: requestHeaderCA)
    } catch {
      throw TLSMaterialError("\(contents.certificate.name): TLS cannot use it: \(error)")
    }
  }
}
