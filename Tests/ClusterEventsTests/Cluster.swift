import AdapterKit
import InMemoryAdapter
import JSON
import KubeClient
import KubeWire
import Logging
import Synchronization
import Testing
import Translation

@testable import ClusterEvents

/// A cluster that takes Events.
final class Cluster: KubeAPI {
  private let taken = Mutex<[JSONValue]>([])
  private let refusal = Mutex<KubeError?>(nil)

  var events: [JSONValue] { taken.withLock { $0 } }
  func refuse(_ error: KubeError?) { refusal.withLock { $0 = error } }

  func send(_ request: KubeRequest) async throws(KubeError) -> KubeAnswer {
    #expect(request.method == "POST" && request.path == "/api/v1/namespaces/default/events")
    taken.withLock { $0.append(request.body ?? .null) }
    if let error = refusal.withLock({ $0 }) { throw error }
    return KubeAnswer(code: 201, body: request.body ?? .null)
  }

  func watch(_ path: String, query: [(name: String, value: String)]) async throws(KubeError) -> AsyncThrowingStream<KubeEvent, any Error> {
    throw .unreachable("nothing is watched here")
  }

  /// Waits until it was told an Event of that reason; a run's way through the gateway takes real time.
  func event(reason: String) async throws -> JSONValue {
    for _ in 0..<12_000 {
      if let event = events.first(where: { $0["reason"]?.string == reason }) { return event }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw KubeError.unreachable("no event \(reason); there are \(events.map { $0["reason"]?.string ?? "" })")
  }
}

/// A gateway on the in-memory engine with a recorder at its side.
func withGateway(
  before: (InMemoryAdapter) throws -> Void = { _ in }, _ body: (Gateway, InMemoryAdapter, Cluster) async throws -> Void
) async throws {
  let engine = InMemoryAdapter(options: InMemoryOptions()) { SystemClock().now }
  try before(engine)
  let info = BindingInfo(
    name: "memory", backend: "memory", namespace: "default", scope: AdapterScope(.emptyObject), access: .manage, deletionPolicy: .delete,
    inlineSteps: true)
  let projector = Projector(group: "workflow.example.com", bindings: [info], signingKeys: [])
  let settings = BindingSettings(
    id: BindingID("memory"), namespaces: ["default"], window: .seconds(7 * 86_400), readsOverlaysApart: false, hasTemplates: true)
  let clock = SystemClock()
  let store = SharedStore(
    RunStore(
      objects: ObjectStore(settings: .init(apiVersion: "workflow.example.com/v1alpha1"), epoch: 7, now: clock.now), bindings: [settings],
      projection: projector))
  let driver = BindingDriver(
    binding: settings, adapter: engine, scope: info.scope, settings: ReconcilerSettings(pollInterval: .milliseconds(20)), store: store)
  let gateway = Gateway(
    group: "workflow.example.com", store: store, projector: projector, bindings: [Bound(info: info, adapter: engine, driver: driver)],
    clock: clock)
  let cluster = Cluster()
  let recorder = EventRecorder(gateway: gateway, api: cluster, clock: clock, pause: .milliseconds(5), logger: Logger(label: "test"))
  let running = Task {
    await withDiscardingTaskGroup { group in
      group.addTask { await gateway.run() }
      group.addTask { await recorder.run() }
    }
  }
  defer { running.cancel() }
  while !recorder.isFollowing("default") { try await Task.sleep(for: .milliseconds(5)) }
  try await body(gateway, engine, cluster)
}

func context() -> RequestContext {
  let now = SystemClock().now
  return RequestContext(user: UserInfo(name: "jane"), now: now, deadline: now + .seconds(30))
}

func manifest(_ name: String) -> JSONValue {
  ["metadata": ["name": .string(name), "namespace": "default"], "spec": ["steps": [["name": "a", "command": ["true"]]]]]
}
