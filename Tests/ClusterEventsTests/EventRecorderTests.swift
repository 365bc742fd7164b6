import AdapterKit
import InMemoryAdapter
import JSON
import KubeClient
import KubeWire
import OrderedCollections
import Testing
import Translation

@Suite("Events in the cluster", .timeLimit(.minutes(10)))
struct EventRecorderTests {
  @Test("a run's phases become Events about its Workflow")
  func phases() async throws {
    try await withGateway { gateway, engine, cluster in
      let made = try await gateway.create(
        namespace: "default", object: manifest("nightly"), options: WriteOptions(), context: context())
      let submitted = try await cluster.event(reason: "Submitted")
      #expect(submitted["involvedObject"]?["uid"]?.string == made.object.draft.uid)
      #expect(submitted["involvedObject"]?["kind"] == "Workflow" && submitted["involvedObject"]?["name"] == "nightly")
      #expect(submitted["type"] == "Normal" && submitted["metadata"]?["namespace"] == "default")
      let key = try #require(engine.keys.last)
      try engine.start(key)
      _ = try await cluster.event(reason: "Started")
      try engine.fail(key, message: "no space left")
      let failed = try await cluster.event(reason: "Failed")
      #expect(failed["type"] == "Warning" && failed["message"]?.string?.contains("no space left") == true)
      #expect(Set(cluster.events.compactMap { $0["metadata"]?["name"]?.string }).count == cluster.events.count)
    }
  }

  @Test("what was there before the start is no news")
  func history() async throws {
    try await withGateway(before: { $0.startForeignRun(phase: .succeeded) }) { gateway, engine, cluster in
      _ = try await gateway.create(namespace: "default", object: manifest("new"), options: WriteOptions(), context: context())
      _ = try await cluster.event(reason: "Submitted")
      #expect(cluster.events.allSatisfy { $0["involvedObject"]?["name"] == "new" })
    }
  }

  @Test("a cluster that takes no Events stops nothing, and is not asked twice for one")
  func refused() async throws {
    try await withGateway { gateway, engine, cluster in
      cluster.refuse(.status(.forbidden("namespace is being terminated")))
      _ = try await gateway.create(namespace: "default", object: manifest("a"), options: WriteOptions(), context: context())
      _ = try await cluster.event(reason: "Submitted")
      try engine.start(try #require(engine.keys.last))
      _ = try await cluster.event(reason: "Started")
      #expect(cluster.events.filter { $0["reason"] == "Submitted" }.count == 1)
    }
  }

  @Test("a storm of changes is cut, so that the cluster's etcd is not filled with Events")
  func storm() async throws {
    try await withGateway { gateway, engine, cluster in
      _ = try await gateway.create(namespace: "default", object: manifest("first"), options: WriteOptions(), context: context())
      _ = try await cluster.event(reason: "Submitted")
      let begin = ContinuousClock.now
      for _ in 0..<400 { engine.startForeignRun() }
      for _ in 0..<12_000 {
        let list = try await gateway.list(.workflows, namespace: "default", options: ListOptions(resourceVersion: "0"), context: context())
        if list.items.count == 401 { break }
        try await Task.sleep(for: .milliseconds(10))
      }
      for _ in 0..<12_000 where cluster.events.count < 50 { try await Task.sleep(for: .milliseconds(10)) }
      try await Task.sleep(for: .milliseconds(200))
      // A hundred at once, then five a second.
      let count = cluster.events.count
      #expect(count >= 50 && count <= 100 + 5 * Int((ContinuousClock.now - begin).components.seconds + 1), "\(count)")
    }
  }
}
