import APIServer
import AdapterKit
import Certificates
import Configuration
import Foundation
import HTTPServer
import JSON
import KubeWire
import Logging
import Translation

/// The whole program wired in one place: configuration, adapters, gateway, server, and the order in which they end.
struct Program {
  let command: ServeCommand
  let logger: Logger

  func run() async throws {
    let configuration = try readConfiguration()
    let clock = SystemClock()
    let assembly = try await Assembly(configuration, adaptersDirectory: command.adaptersDir, clock: clock, logger: logger)
    let responder = APIServerResponder(
      gateway: assembly.gateway,
      configuration: APIServerConfiguration(
        group: APIGroup(name: configuration.group), maximumRequestsInFlight: command.maxRequestsInflight),
      authenticator: StandardAuthenticator(), authorizer: AlwaysAllow(), logger: logger)
    let server = HTTPServer(configuration: try serverConfiguration(), responder: responder, logger: logger)
    let bound: BoundAddress
    do {
      bound = try await server.start()
    } catch {
      throw StartFailure("cannot listen on \(command.bindAddress):\(command.securePort): \(error)")
    }
    logger.notice("serving", metadata: ["address": "\(bound.address)", "port": "\(bound.port)", "group": "\(configuration.group)"])
    if let file = command.portFile { try Data("\(bound.port)\n".utf8).write(to: URL(fileURLWithPath: file), options: .atomic) }

    await withDiscardingTaskGroup { group in
      group.addTask { await assembly.gateway.run() }
      await Signals.untilTermination()
      logger.notice("stopping")
      // Not ready first, so that nobody is sent here any more; then watches end cleanly; polling last.
      responder.health.drain()
      await server.shutdown(grace: .seconds(command.shutdownGrace))
      group.cancelAll()
    }
    assembly.shutdown()
  }

  private func readConfiguration() throws -> GatewayConfiguration {
    guard let data = FileManager.default.contents(atPath: command.config), let text = String(data: data, encoding: .utf8) else {
      throw StartFailure("cannot read the configuration \(command.config); --config names the file")
    }
    do {
      return try GatewayConfiguration(yaml: text, file: command.config)
    } catch {
      throw StartFailure(error.problems.map(\.description))
    }
  }

  private func serverConfiguration() throws -> HTTPServerConfiguration {
    var configuration = HTTPServerConfiguration()
    configuration.host = command.bindAddress
    configuration.port = command.securePort
    var options = TLSOptions()
    if let version = TLSOptions.Version(rawValue: command.tlsMinVersion) { options.minimumVersion = version }
    if let suites = command.tlsCipherSuites { options.cipherSuites = suites.split(separator: ",").map(String.init) }
    let certificate: TLSSource
    let key: TLSSource
    if let certificateFile = command.tlsCertFile, let keyFile = command.tlsPrivateKeyFile {
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
      configuration.tls = try TLSMaterial(
        .init(
          certificate: certificate, privateKey: key, clientCA: command.clientCaFile.map { .file($0) },
          requestHeaderCA: command.requestheaderClientCaFile.map { .file($0) }), options: options, logger: logger)
    } catch {
      throw StartFailure("TLS: \(error)")
    }
    return configuration
  }
}
