import JSON
import KubeClient
import KubeWire
import Logging
import OrderedCollections
import Synchronization
import Testing
import Translation

@testable import Admission

/// What is hidden is deleted for whoever watches, so nothing is hidden on hearsay.
@Suite("Namespaces that come and go", .timeLimit(.minutes(10)))
struct NamespaceFollowTests {
  private static let path = "/api/v1/namespaces"

  private final class Hidden: Sendable {
    let names = Mutex<Set<String>>([])
    let made = Mutex<[String]>([])
    func contains(_ name: String) -> Bool { names.withLock { $0.contains(name) } }
    func set(_ name: String, _ isHidden: Bool) {
      names.withLock { if isHidden { _ = $0.insert(name) } else { _ = $0.remove(name) } }
    }
  }

  private func following(_ cluster: FakeCluster, _ body: (Hidden) async throws -> Void) async throws {
    let namespaces = ClusterNamespaces(api: cluster, clock: SystemClock(), logger: Logger(label: "test"))
    let hidden = Hidden()
    let running = Task {
      await withDiscardingTaskGroup { group in
        group.addTask { await namespaces.run() }
        group.addTask {
          await namespaces.follow(
            ["team"], isHidden: { hidden.contains($0) },
            made: { name, created in hidden.made.withLock { $0.append("\(created.rfc3339Seconds) \(hidden.contains(name))") } }
          ) { name, isHidden, _ in hidden.set(name, isHidden) }
        }
      }
    }
    defer { running.cancel() }
    while cluster.watched == 0 { try await Task.sleep(for: .milliseconds(5)) }
    try await body(hidden)
  }

  private func becomes(_ hidden: Hidden, _ isHidden: Bool) async throws -> Bool {
    for _ in 0..<12_000 {
      if hidden.contains("team") == isHidden { return true }
      try await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  @Test("a namespace that is going is hidden, one that came again is shown")
  func comesAndGoes() async throws {
    let cluster = FakeCluster()
    try await following(cluster) { hidden in
      cluster.put(Self.path, FakeCluster.namespace("team", phase: "Terminating"))
      let isHidden = try await becomes(hidden, true)
      #expect(isHidden)
      cluster.put(Self.path, FakeCluster.namespace("team"))
      let isShown = try await becomes(hidden, false)
      #expect(isShown)
    }
  }

  @Test("when a namespace was made is told at first, and of another one before it is shown")
  func made() async throws {
    let cluster = FakeCluster()
    func put(_ created: String, phase: String = "Active") {
      var namespace = FakeCluster.namespace("team", phase: phase)
      namespace["metadata"]?["creationTimestamp"] = .string(created)
      cluster.put(Self.path, namespace)
    }
    put("2026-11-01T00:00:00Z")
    try await following(cluster) { hidden in
      func told(_ count: Int) async throws -> [String] {
        for _ in 0..<12_000 where hidden.made.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(10)) }
        return hidden.made.withLock { $0 }
      }
      let first = try await told(1)
      #expect(first == ["2026-11-01T00:00:00Z false"])
      put("2026-11-01T00:00:00Z", phase: "Terminating")
      let isHidden = try await becomes(hidden, true)
      put("2026-11-02T00:00:00Z")
      let isShown = try await becomes(hidden, false)
      let both = try await told(2)
      #expect(isHidden && isShown && both == first + ["2026-11-02T00:00:00Z true"])
    }
  }

  @Test("what the gateway hid by itself is shown when the cluster says that the namespace is there")
  func disagreement() async throws {
    let cluster = FakeCluster()
    try await following(cluster) { hidden in
      hidden.set("team", true)
      let isShown = try await becomes(hidden, false)
      #expect(isShown)
    }
  }

  @Test("a cluster that answers 404 for everything hides nothing")
  func blind() async throws {
    let cluster = FakeCluster()
    try await following(cluster) { hidden in
      cluster.blind(true)
      try await Task.sleep(for: .seconds(1))
      #expect(!hidden.contains("team"))
    }
  }
}
