import Certificates
package import HTTPMessage
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

/// The serving certificate and the two CA bundles, as they are now. New handshakes use what the last `reload` found usable; open
/// connections keep what they began with.
package final class TLSMaterial: Sendable {
  /// Where everything comes from.
  package struct Sources: Sendable {
    /// The leaf and then its intermediates.
    package var certificate: TLSSource
    package var privateKey: TLSSource
    /// --client-ca-file.
    package var clientCA: TLSSource?
    /// --requestheader-client-ca-file.
    package var requestHeaderCA: TLSSource?
    /// What goes with the requestheader CA; nil leaves it to the authenticator.
    package var requestHeaderRules: RequestHeaderRules?

    package init(
      certificate: TLSSource, privateKey: TLSSource, clientCA: TLSSource? = nil, requestHeaderCA: TLSSource? = nil,
      requestHeaderRules: RequestHeaderRules? = nil
    ) {
      self.certificate = certificate
      self.privateKey = privateKey
      self.clientCA = clientCA
      self.requestHeaderCA = requestHeaderCA
      self.requestHeaderRules = requestHeaderRules
    }
  }

  /// One consistent set, ready for handshakes.
  final class Snapshot: Sendable {
    let context: NIOSSLContext
    let pair: ServingPair
    let clientCA: CertificateBundle?
    let requestHeaderCA: CertificateBundle?
    let requestHeaderRules: RequestHeaderRules?
    /// The intermediates that came with a verified leaf. When a client resumes a session, TLS shows us its leaf again, but not these.
    private let intermediates = Mutex<[[UInt8]: [[UInt8]]]>([:])

    init(
      context: NIOSSLContext, pair: ServingPair, clientCA: CertificateBundle?, requestHeaderCA: CertificateBundle?,
      requestHeaderRules: RequestHeaderRules?
    ) {
      self.context = context
      self.pair = pair
      self.clientCA = clientCA
      self.requestHeaderCA = requestHeaderCA
      self.requestHeaderRules = requestHeaderRules
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
        notAfter: subject.notAfter, requestHeaderRules: authorities.contains(.requestHeader) ? requestHeaderRules : nil)
    }

    /// For a resumed session, in which nobody asks for verification. A session can only be resumed with the context that it began with, so
    /// the CAs are the same; the certificate may have expired since.
    func chain(ofResumed leaf: [UInt8]) -> [[UInt8]] { [leaf] + (intermediates.withLock { $0[leaf] } ?? []) }
  }

  private struct State {
    /// What is wanted, though some of it may not be usable now.
    var sources: Sources
    var serving: Serving
    var clientCA: Authority?
    var requestHeaderCA: Authority?
    /// Of the requestheader CA in use.
    var requestHeaderRules: RequestHeaderRules?
    var snapshot: Snapshot
    var reportedProblems: [String] = []
  }

  private let options: TLSOptions
  private let logger: Logger
  private let state: Mutex<State>
  private let replacing = Mutex(())

  /// Throws `TLSMaterialError` when something cannot be read or used.
  package init(_ sources: Sources, options: TLSOptions = TLSOptions(), logger: Logger) throws {
    let serving = try Serving(sources)
    let clientCA = try Authority(sources.clientCA, Self.clientRole)
    let requestHeaderCA = try Authority(sources.requestHeaderCA, Self.requestHeaderRole)
    let snapshot = try Self.makeSnapshot(serving, clientCA, requestHeaderCA, sources.requestHeaderRules, options)
    self.options = options
    self.logger = logger
    state = Mutex(
      State(
        sources: sources, serving: serving, clientCA: clientCA, requestHeaderCA: requestHeaderCA,
        requestHeaderRules: sources.requestHeaderRules, snapshot: snapshot))
  }

  var current: Snapshot { state.withLock { $0.snapshot } }

  /// SHA-256 of the serving certificate, lower-case hex.
  package var servingFingerprint: String { current.pair.fingerprint }
  /// Unix seconds.
  package var servingNotAfter: Int64 { current.pair.notAfter }

  /// Looks at the files again. True when new material came into use. The serving pair and each CA are taken apart from the others: what
  /// cannot be used leaves its own old in place, is logged once, with the file and the reason, until it changes, and is tried again the next
  /// time. Reads files: not for an event loop.
  @discardableResult
  package func reload() -> Bool { use { _ in }.isNew }

  /// Takes CA bundles from elsewhere, such as the cluster's ConfigMap. Nil keeps none. What cannot be used now leaves its old in place, and
  /// `reload` tries it again.
  /// - Parameter requestHeaderRules: come into use with the requestheader CA: no request knows only one of the two.
  /// - Returns: whether both are in use now.
  @discardableResult
  package func replaceAuthorities(
    clientCA: TLSSource?, requestHeaderCA: TLSSource?, requestHeaderRules: RequestHeaderRules? = nil
  ) -> Bool {
    use { state in
      (state.sources.clientCA, state.sources.requestHeaderCA) = (clientCA, requestHeaderCA)
      state.sources.requestHeaderRules = requestHeaderRules
    }.authoritiesAreInUse
  }

  private func use(_ change: (inout State) -> Void) -> (isNew: Bool, authoritiesAreInUse: Bool) {
    // One at a time, or a slow reload could undo a replacement.
    replacing.withLock { _ in
      var new = state.withLock { state in
        change(&state)
        return state
      }
      let old = new
      var problems: [String] = []
      func attempt<Part>(_ part: inout Part, _ read: () throws -> Part) -> Bool {
        do {
          part = try read()
          return true
        } catch {
          problems.append("\(error)")
          return false
        }
      }
      let sources = new.sources
      _ = attempt(&new.serving) { try Serving(sources, known: old.serving) }
      var hasClientCA = attempt(&new.clientCA) { try Authority(sources.clientCA, Self.clientRole, known: old.clientCA) }
      var hasRequestHeaderCA = attempt(&new.requestHeaderCA) {
        try Authority(sources.requestHeaderCA, Self.requestHeaderRole, known: old.requestHeaderCA)
      }
      if hasRequestHeaderCA { new.requestHeaderRules = sources.requestHeaderRules }
      func isNew() -> Bool {
        new.serving.items != old.serving.items || new.clientCA?.item != old.clientCA?.item
          || new.requestHeaderCA?.item != old.requestHeaderCA?.item || new.requestHeaderRules != old.requestHeaderRules
      }
      func makeSnapshot() -> Bool {
        let (serving, clientCA, requestHeaderCA, rules) = (new.serving, new.clientCA, new.requestHeaderCA, new.requestHeaderRules)
        return attempt(&new.snapshot) { try Self.makeSnapshot(serving, clientCA, requestHeaderCA, rules, options) }
      }
      if isNew(), !makeSnapshot() {
        // TLS tells no more than that it cannot use them together. A withdrawn CA must not stay for the sake of a pair.
        new.serving = old.serving
        if isNew(), !makeSnapshot() {
          (new.clientCA, new.requestHeaderCA, new.requestHeaderRules) = (old.clientCA, old.requestHeaderCA, old.requestHeaderRules)
          (hasClientCA, hasRequestHeaderCA) = (false, false)
        }
      }
      new.reportedProblems = problems
      state.withLock { $0 = new }
      for problem in problems where !old.reportedProblems.contains(problem) {
        logger.error("TLS material not reloaded, the old stays in use", metadata: ["reason": "\(problem)"])
      }
      if isNew() { logger.notice("TLS material reloaded", metadata: ["fingerprint": "\(new.serving.pair.fingerprint)"]) }
      return (isNew(), hasClientCA && hasRequestHeaderCA)
    }
  }

  // MARK: Reading

  private static let clientRole = "the client CA"
  private static let requestHeaderRole = "the requestheader CA"

  /// The bytes of a source, with the name that an error calls it by.
  private struct Item: Hashable {
    let name: String
    let pem: [UInt8]

    init(_ source: TLSSource, _ role: String) throws {
      switch source {
      case .pem(let text): (name, pem) = (role, Array(text.utf8))
      case .file(let path):
        name = "\(role) \(path)"
        do {
          pem = try FileContent.read(path)
        } catch {
          throw TLSMaterialError("\(role) \(path): \(error)")
        }
      }
    }
  }

  private struct Serving {
    let items: [Item]
    let pair: ServingPair
    let chain: [NIOSSLCertificateSource]
    let key: NIOSSLPrivateKey

    /// - Parameter known: taken as it is when it is of the same bytes.
    init(_ sources: Sources, known: Serving? = nil) throws {
      let certificate = try Item(sources.certificate, "the serving certificate")
      let privateKey = try Item(sources.privateKey, "the serving key")
      if let known, known.items == [certificate, privateKey] {
        self = known
        return
      }
      items = [certificate, privateKey]
      do {
        pair = try ServingPair(certificatePEM: certificate.pem, privateKeyPEM: privateKey.pem)
        chain = try NIOSSLCertificate.fromPEMBytes(pair.certificatePEM).map { .certificate($0) }
        key = try NIOSSLPrivateKey(bytes: pair.privateKeyPEM, format: .pem)
      } catch {
        throw TLSMaterialError("\(certificate.name) with \(privateKey.name): \(error)")
      }
    }
  }

  private struct Authority {
    let item: Item
    let bundle: CertificateBundle
    let anchors: [NIOSSLCertificate]

    /// Nil without a source. `known` as in ``Serving``.
    init?(_ source: TLSSource?, _ role: String, known: Authority? = nil) throws {
      guard let source else { return nil }
      let item = try Item(source, role)
      if let known, known.item == item {
        self = known
        return
      }
      self.item = item
      do {
        bundle = try CertificateBundle(pem: item.pem)
        anchors = try bundle.derCertificates.map { try NIOSSLCertificate(bytes: $0, format: .der) }
      } catch {
        throw TLSMaterialError("\(item.name): \(error)")
      }
    }
  }

  private static func makeSnapshot(
    _ serving: Serving, _ clientCA: Authority?, _ requestHeaderCA: Authority?, _ rules: RequestHeaderRules?, _ options: TLSOptions
  ) throws -> Snapshot {
    let ciphers = try options.ciphers
    do {
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: serving.chain, privateKey: .privateKey(serving.key))
      configuration.applicationProtocols = ["h2", "http/1.1"]
      configuration.minimumTLSVersion = options.minimumVersion == .tls13 ? .tlsv13 : .tlsv12
      configuration.cipherSuiteValues = ciphers
      // NIOSSL waits 5 s for the peer's goodbye otherwise, and so does every shutdown.
      configuration.shutdownTimeout = .seconds(1)
      let anchors = (clientCA?.anchors ?? []) + (requestHeaderCA?.anchors ?? [])
      if !anchors.isEmpty {
        // Asks for a certificate and takes none for an answer; verification is `identify`'s. The names of both CAs are sent, since a Go
        // client picks its certificate by them (kubernetes-wire F8).
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates(anchors)
        configuration.sendCANameList = true
      }
      return Snapshot(
        context: try NIOSSLContext(configuration: configuration), pair: serving.pair, clientCA: clientCA?.bundle,
        requestHeaderCA: requestHeaderCA?.bundle, requestHeaderRules: rules)
    } catch {
      throw TLSMaterialError("\(serving.items[0].name): TLS cannot use it: \(error)")
    }
  }
}
