import APIServer
import Certificates
import Delegation
import Foundation
import HTTPServer
import KubeClient
import Logging

/// Who may connect, who they are and what they may do, made from the flags and from what the cluster says.
struct AccessWiring: Sendable {
  /// For admission, namespaces and Events; nil without a cluster.
  let clusterAPI: (any KubeAPI)?
  let tls: TLSMaterial
  let authenticator: any Authenticator
  let authorizer: any Authorizer
  private let clusterAuthentication: ClusterAuthentication?

  /// - Parameter onReview: told of each TokenReview and SubjectAccessReview, for metrics.
  /// - Throws: ``StartFailure`` for files that cannot be used, and when the cluster's CAs cannot be looked up.
  init(
    _ command: ServeCommand, logger: Logger, onReview: @escaping @Sendable (Surroundings.Review, String, Duration) -> Void = { _, _, _ in }
  ) async throws {
    let clients = try ClusterClients(command)
    let surroundings = Surroundings(onReview: onReview)
    let flags = command.authentication
    clusterAPI = clients.main
    let tls = try Self.tlsMaterial(command, logger)
    self.tls = tls

    clusterAuthentication = try await Self.lookUp(clients.authentication, flags, tls, logger)
    authenticator = StandardAuthenticator(
      tokens: clients.authentication.map {
        TokenReviewer(
          $0, settings: .init(lifetime: flags.authenticationTokenWebhookCacheTtl.duration), surroundings: surroundings, logger: logger)
      },
      anonymous: flags.anonymousAuth ? StandardAuthenticator.anonymousUser : nil, rules: flags.requestHeaderRules)
    if command.authorization.authorizationMode == .webhook, let api = clients.authorization {
      authorizer = AccessReviewer(
        api,
        settings: .init(
          allowedLifetime: command.authorization.authorizationWebhookCacheAuthorizedTtl.duration,
          deniedLifetime: command.authorization.authorizationWebhookCacheUnauthorizedTtl.duration), surroundings: surroundings,
        logger: logger)
    } else {
      authorizer = AlwaysAllow()
    }
  }

  /// Keeps the cluster's CAs current until the task is cancelled.
  func run() async { await clusterAuthentication?.run() }

  /// The part that flags do not say comes from the cluster's ConfigMap (kubernetes-wire §2.1).
  private static func lookUp(
    _ api: (any KubeAPI)?, _ flags: AuthenticationOptions, _ tls: TLSMaterial, _ logger: Logger
  ) async throws -> ClusterAuthentication? {
    guard let api, !flags.authenticationSkipLookup else { return nil }
    let (clientCA, requestHeaderCA) = (flags.clientCaFile, flags.requestheaderClientCaFile)
    guard clientCA == nil || requestHeaderCA == nil else { return nil }
    let authentication = ClusterAuthentication(api, logger: logger) { content in
      let areInUse = tls.replaceAuthorities(
        clientCA: clientCA.map { .file($0) } ?? content.clientCA.map { .pem($0) },
        requestHeaderCA: requestHeaderCA.map { .file($0) } ?? content.requestHeaderCA.map { .pem($0) },
        requestHeaderRules: requestHeaderCA == nil ? content.rules : nil)
      guard areInUse else { return logger.error("not all of the cluster's CAs are in use yet; they are tried again") }
      logger.notice(
        "the cluster's CAs are in use",
        metadata: ["client-ca": "\(content.clientCA != nil)", "requestheader-client-ca": "\(content.requestHeaderCA != nil)"])
    }
    var problem = "the ConfigMap kube-system/\(ClusterAuthentication.name) is missing or cannot be used"
    for attempt in 0..<5 {
      do {
        if attempt > 0 { try await Task.sleep(for: .seconds(1)) }
        try await authentication.load()
        break
      } catch {
        problem = "\(error)"
      }
    }
    if authentication.content == nil {
      guard flags.authenticationTolerateLookupFailure else {
        throw StartFailure(
          "the cluster's CAs cannot be looked up in kube-system/\(ClusterAuthentication.name): \(problem); bind the Role extension-apiserver-authentication-reader, or give --client-ca-file and --requestheader-client-ca-file, --authentication-skip-lookup or --authentication-tolerate-lookup-failure"
        )
      }
      logger.warning("the cluster's CAs cannot be looked up yet", metadata: ["problem": "\(problem)"])
    }
    return authentication
  }

  private static func tlsMaterial(_ command: ServeCommand, _ logger: Logger) throws -> TLSMaterial {
    let certificate: TLSSource
    let key: TLSSource
    if let certificateFile = command.serving.tlsCertFile, let keyFile = command.serving.tlsPrivateKeyFile {
      (certificate, key) = (.file(certificateFile), .file(keyFile))
    } else {
      let authority = try CertificateAuthority.makeSelfSigned(commonName: "workflow-apiserver-ca", validFor: .seconds(365 * 86_400))
      let issued = try authority.issue(
        commonName: "workflow-apiserver", dnsNames: ["localhost"], ipAddresses: ["127.0.0.1", "::1"], usage: .server,
        validFor: .seconds(365 * 86_400))
      (certificate, key) = (.pem(issued.certificatePEM), .pem(issued.privateKeyPEM))
      logger.notice("no --tls-cert-file: serving a self-signed certificate made for this start")
    }
    do {
      return try TLSMaterial(
        .init(
          certificate: certificate, privateKey: key, clientCA: command.authentication.clientCaFile.map { .file($0) },
          requestHeaderCA: command.authentication.requestheaderClientCaFile.map { .file($0) }), options: command.serving.tlsOptions,
        logger: logger)
    } catch {
      throw StartFailure("TLS: \(error)")
    }
  }
}
