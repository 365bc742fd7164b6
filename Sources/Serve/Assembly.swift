import APIServer
import AdapterKit
import Configuration
import CurlTransport
import DeclarativeAdapter
import Foundation
import JSON
import Logging
import Synchronization
import Translation

/// Backends, adapters, store, drivers and gateway, made from a checked configuration.
final class Assembly: Sendable {
  let gateway: Gateway
  private let transports: [CurlTransport]

  /// - Throws: ``StartFailure`` with every adapter file and every setting that is wrong.
  init(
    _ configuration: GatewayConfiguration, adaptersDirectory: String, cluster: ClusterWiring, backendUse: any BackendUse,
    metrics: ServerMetrics, clock: SystemClock, logger: Logger
  ) async throws {
    var problems: [String] = []
    var transports: [CurlTransport] = []
    var files: [String: AdapterFile] = [:]
    var adapters: [String: any Adapter] = [:]
    for backend in configuration.backends {
      do {
        let transport = CurlTransport(Self.curl(backend.transport))
        transports.append(transport)
        let file = try await Self.file(backend, adaptersDirectory)
        files[backend.name] = file
        let measured = MeasuredTransport(transport, backend: backend.name, metrics: metrics.backends)
        adapters[backend.name] = try Self.adapter(backend, file, measured)
      } catch let failure as StartFailure {
        problems += failure.lines
      }
    }
    self.transports = transports
    let keys = configuration.envelopeSigningKeyFiles.compactMap { path -> [UInt8]? in
      guard let data = FileManager.default.contents(atPath: path), data.count >= 32 else {
        problems.append(
          "envelopeSigningKeyFiles: \(path) cannot be read or has less than 32 bytes; make one with: openssl rand -hex 32 > \(path)")
        return nil
      }
      return Array(data)
    }
    let active = configuration.bindings.filter { !$0.disabled }
    for binding in active {
      guard let file = files[binding.backend] else { continue }
      problems += DeclarativeAdapterFactory.faults(inScope: AdapterScope(binding.scope), file).map {
        "\(binding.place): binding \"\(binding.name)\": \($0.field) \($0.message)"
      }
    }
    guard problems.isEmpty else { throw StartFailure(problems) }

    let infos = active.map { Self.info($0, adapters[$0.backend]!) }
    let projector = Projector(group: configuration.group, bindings: infos, signingKeys: keys)
    let settings = zip(active, infos).map { binding, info in
      let abilities = adapters[binding.backend]!.abilities
      return BindingSettings(
        id: BindingID(info.name), namespaces: [info.namespace], window: binding.window.maxAge,
        readsOverlaysApart: abilities.overlays.map { !$0.overlayComesWithRuns } ?? false, hasTemplates: abilities.templates != nil,
        enforcesSubmissionKeys: [.enforced, .enforcedForever].contains(adapters[binding.backend]!.traits.submissionKeys))
    }
    let now = clock.now
    let store = SharedStore(
      RunStore(
        objects: ObjectStore(settings: .init(apiVersion: "\(configuration.group)/v1alpha1"), epoch: UInt64.random(in: 0...999), now: now),
        bindings: settings, projection: projector))
    let health = BackendHealth(configuration.backends, adapters: adapters, bindings: infos, store: store, clock: clock)
    let bounds = zip(zip(active, infos), settings).map { pair, settings in
      let (binding, info) = pair
      let adapter = adapters[binding.backend]!
      let driver = BindingDriver(
        binding: settings, adapter: adapter, scope: info.scope,
        settings: ReconcilerSettings(
          pollInterval: binding.poll.interval, sweepInterval: binding.poll.sweepInterval, window: binding.window.maxAge,
          templateInterval: binding.poll.templatesInterval),
        store: store, mayWrite: info.access != .observe, clock: clock, random: { Double.random(in: 0..<1) },
        onStatus: { id, conditions in health.report(id, conditions, logger) })
      return Bound(info: info, adapter: adapter, driver: driver)
    }
    gateway = Gateway(
      group: configuration.group, store: store, projector: projector, bindings: bounds, clock: clock, admission: cluster.admission,
      namespaces: cluster.namespaces, backendUse: backendUse,
      onLeavingFailure: { binding, run, error in
        logger.warning(
          "a run of a namespace that is being deleted could not be cancelled; it is tried on",
          metadata: ["binding": "\(binding)", "run": "\(run)", "problem": "\(error.code): \(error.message)"])
      })
    cluster.attach(gateway)
  }

  func shutdown() { for transport in transports { transport.shutdown() } }

  private static func file(_ backend: GatewayConfiguration.Backend, _ directory: String) async throws -> AdapterFile {
    let path = "\(directory)/\(backend.adapter)/adapter.yaml"
    guard FileManager.default.fileExists(atPath: path) else {
      let known = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
        .filter { FileManager.default.fileExists(atPath: "\(directory)/\($0)/adapter.yaml") }.sorted()
      throw StartFailure(
        "\(backend.place): backend \"\(backend.name)\": there is no adapter \"\(backend.adapter)\" in \(directory) (it has: \(known.joined(separator: ", "))); set --adapters-dir or adapter"
      )
    }
    do {
      return try await AdapterFile.load(path)
    } catch {
      throw StartFailure("\(error)".split(separator: "\n").map(String.init))
    }
  }

  private static func adapter(_ backend: GatewayConfiguration.Backend, _ file: AdapterFile, _ transport: any HTTPTransport) throws
    -> any Adapter
  {
    let context = BackendContext(
      name: backend.name, url: backend.url, settings: backend.settings,
      transport: BudgetedTransport(
        transport, maximumConcurrent: backend.budget.maxConcurrentRequests, requestsPerSecond: backend.budget.requestsPerSecond),
      credential: Credentials(backend: backend.name, sources: backend.credentials).reader)
    do {
      return try DeclarativeAdapterFactory.make(file, context)
    } catch {
      throw StartFailure("\(backend.place): \(error)")
    }
  }

  private static func info(_ binding: GatewayConfiguration.Binding, _ adapter: any Adapter) -> BindingInfo {
    BindingInfo(
      name: binding.name, backend: binding.backend, namespace: binding.namespace, scope: AdapterScope(binding.scope),
      access: .init(rawValue: binding.access.rawValue)!, deletionPolicy: .init(rawValue: binding.deletionPolicy.rawValue)!,
      // Inline steps run commands on CI workers; the built-in engine exists for nothing else.
      inlineSteps: binding.inlineSteps ?? (adapter.traits.name == "local"), requiresUse: binding.requireUseVerb,
      keepsOverlays: adapter.abilities.overlays != nil)
  }

  static func curl(_ transport: GatewayConfiguration.Transport) -> CurlConfiguration {
    var curl = CurlConfiguration(environment: ProcessInfo.processInfo.environment)
    curl.caFile = transport.caFile ?? curl.caFile
    curl.clientCertificateFile = transport.clientCertificateFile
    curl.clientKeyFile = transport.clientKeyFile
    curl.proxy = transport.proxy ?? curl.proxy
    curl.noProxy = transport.noProxy ?? curl.noProxy
    curl.unixSocketPath = transport.unixSocketPath
    curl.insecureSkipVerify = transport.insecureSkipTLSVerify
    return curl
  }
}
