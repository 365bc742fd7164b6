import Admission
import ClusterEvents
import CurlTransport
import KubeClient
import KubeWire
import Logging
import Synchronization
import Translation

/// What a cluster adds to the gateway: admission before writes, namespaces that come and go, and Events about what became of runs.
final class ClusterWiring: Sendable {
  /// Admission counts what the gateway has, and the gateway asks admission: one of them has to be there first.
  private final class Counted: Sendable {
    let gateway = Mutex<Gateway?>(nil)
  }

  let admission: any Admitting
  let namespaces: any NamespaceDirectory
  private let api: (any KubeAPI)?
  private let chain: AdmissionChain?
  private let counted = Counted()
  private let logger: Logger

  /// - Parameter api: nil without a cluster: then nothing is asked, and every namespace is there.
  init(_ api: (any KubeAPI)?, group: APIGroup, environment: [String: String], logger: Logger) {
    self.api = api
    self.logger = logger
    guard let api else {
      (admission, namespaces, chain) = (AdmitAll(), AllNamespaces(), nil)
      return
    }
    let counted = counted
    let chain = AdmissionChain(
      api: api, group: group, webhooks: CurlWebhookCaller(CurlConfiguration(environment: environment)),
      count: { namespace, others in counted.gateway.withLock { $0 }?.countWorkflows(in: namespace, besides: others) ?? 0 }, logger: logger)
    (admission, namespaces, self.chain) = (chain, chain.namespaces, chain)
  }

  /// Before the first request.
  func attach(_ gateway: Gateway) { counted.gateway.withLock { $0 = gateway } }

  /// Keeps the copies of the cluster's configuration, hides what is in namespaces that are not there, and tells of runs, until it is cancelled.
  func run() async {
    guard let api, let chain, let gateway = counted.gateway.withLock({ $0 }) else { return }
    await withDiscardingTaskGroup { group in
      group.addTask { await chain.run() }
      group.addTask {
        await chain.namespaces.follow(
          gateway.boundNamespaces, isHidden: { gateway.store.isHidden($0) }, made: { gateway.setNamespace($0, created: $1) }
        ) { [logger = self.logger] name, isHidden, state in
          logger.notice(
            isHidden ? "its Workflows are not shown" : "its Workflows are shown again",
            metadata: ["namespace": "\(name)", "state": "\(state)"])
          gateway.setNamespace(name, isHidden: isHidden)
        }
      }
      group.addTask { await EventRecorder(gateway: gateway, api: api, logger: self.logger).run() }
    }
  }
}
