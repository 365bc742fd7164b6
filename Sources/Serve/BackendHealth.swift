import AdapterKit
import Configuration
import JSON
import Logging
import Synchronization
import Translation

/// Keeps the WorkflowBackend objects in step with what the bindings' reconcilers report.
final class BackendHealth: Sendable {
  private let projections: [String: BackendProjection]
  private let backends: [BindingID: String]
  private let store: SharedStore
  private let clock: SystemClock
  private let known = Mutex<[BindingID: BackendConditions]>([:])

  init(
    _ configured: [GatewayConfiguration.Backend], adapters: [String: any Adapter], bindings: [BindingInfo], store: SharedStore,
    clock: SystemClock
  ) {
    projections = Dictionary(
      uniqueKeysWithValues: configured.compactMap { backend in
        adapters[backend.name].map { (backend.name, BackendProjection(name: backend.name, url: backend.url, traits: $0.traits)) }
      })
    backends = Dictionary(uniqueKeysWithValues: bindings.map { (BindingID($0.name), $0.backend) })
    self.store = store
    self.clock = clock
    store.commit(projections.values.map { .upsert($0.draft([])) }, now: clock.now)
  }

  func report(_ binding: BindingID, _ conditions: BackendConditions, _ logger: Logger) {
    let before = known.withLock { $0.updateValue(conditions, forKey: binding) }
    if before?.reachable.status != conditions.reachable.status || before?.authenticated.status != conditions.authenticated.status
      || before?.synced.reason != conditions.synced.reason
    {
      let all = [conditions.reachable, conditions.authenticated, conditions.synced]
      logger.notice(
        "backend",
        metadata: [
          "binding": "\(binding)", "reachable": "\(conditions.reachable.reason)", "authenticated": "\(conditions.authenticated.reason)",
          "synced": "\(conditions.synced.reason)", "message": "\(all.map(\.message).filter { !$0.isEmpty }.joined(separator: "; "))",
        ])
    }
    guard let backend = backends[binding], let projection = projections[backend] else { return }
    let all = known.withLock { known in known.filter { backends[$0.key] == backend }.sorted { $0.key < $1.key }.map(\.value) }
    store.commit([.upsert(projection.draft(all))], now: clock.now)
  }
}
