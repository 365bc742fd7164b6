import APIServer
import AdapterKit
import Configuration
import Delegation
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
    let configuration = try GatewayConfiguration(file: command.config)
    let clock = SystemClock()
    let metrics = ServerMetrics()
    let audit = try AuditWiring(command.audit, metrics: metrics, logger: logger)
    let access = try await AccessWiring(command, logger: logger) { review, code, took in
      (review == .token ? metrics.delegatedAuthentication : metrics.delegatedAuthorization).record(code, duration: took)
    }
    let cluster = ClusterWiring(
      access.clusterAPI, group: APIGroup(name: configuration.group), environment: ProcessInfo.processInfo.environment, logger: logger)
    let assembly = try await Assembly(
      configuration, adaptersDirectory: command.adaptersDir, cluster: cluster,
      backendUse: BackendUseReview(access.authorizer, group: configuration.group), metrics: metrics, clock: clock, logger: logger)
    let responder = APIServerResponder(
      gateway: assembly.gateway, configuration: apiConfiguration(configuration), authenticator: access.authenticator,
      authorizer: access.authorizer, metrics: metrics, auditor: audit?.auditor, logger: logger)
    let server = HTTPServer(configuration: serverConfiguration(access.tls), responder: responder, logger: logger)
    metrics.addHandshakeErrors { server.handshakeErrors }
    let bound: BoundAddress
    do {
      bound = try await server.start()
    } catch {
      throw StartFailure("cannot listen on \(command.bindAddress):\(command.serving.securePort): \(error)")
    }
    logger.notice("serving", metadata: ["address": "\(bound.address)", "port": "\(bound.port)", "group": "\(configuration.group)"])
    if let file = command.serving.portFile { try Data("\(bound.port)\n".utf8).write(to: URL(fileURLWithPath: file), options: .atomic) }

    await withDiscardingTaskGroup { group in
      group.addTask { await assembly.gateway.run() }
      group.addTask { await access.run() }
      group.addTask { await cluster.run() }
      await Signals.untilTermination()
      logger.notice("stopping")
      // Not ready first, so that nobody is sent here any more; then watches end cleanly; polling last.
      responder.health.drain()
      await server.shutdown(grace: .seconds(command.serving.shutdownGrace))
      await audit?.close()
      group.cancelAll()
    }
    assembly.shutdown()
  }

  private func apiConfiguration(_ configuration: GatewayConfiguration) -> APIServerConfiguration {
    var settings = APIServerConfiguration(group: APIGroup(name: configuration.group))
    settings.requestTimeout = command.limits.requestTimeout.duration
    settings.maximumRequestsInFlight = command.limits.maxRequestsInflight
    settings.maximumMutatingRequestsInFlight = command.limits.maxMutatingRequestsInflight
    settings.maximumWatchesPerUser = command.limits.maxWatchesPerUser
    settings.alwaysAllowPaths = command.authorization.authorizationAlwaysAllowPaths.separated
    return settings
  }

  private func serverConfiguration(_ tls: TLSMaterial) -> HTTPServerConfiguration {
    var configuration = HTTPServerConfiguration()
    configuration.host = command.bindAddress
    configuration.port = command.serving.securePort
    configuration.tls = tls
    return configuration
  }
}
