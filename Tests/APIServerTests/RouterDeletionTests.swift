import AdapterKit
import HTTPMessage
import InMemoryAdapter
import JSON
import KubeWire
import OrderedCollections
import Synchronization
import Testing
import Translation

@testable import APIServer

/// Deletion in two phases, of one object, of many, and of a namespace.
@Suite(.timeLimit(.minutes(10))) struct RouterDeletionTests {
  private static let collection = "/namespaces/default/workflows"
  private static let a = collection + "/a"
  private static let held =
    #"{"metadata":{"name":"a","finalizers":["example.com/f"]},"spec":{"steps":[{"name":"s","command":["true"]}]}}"#

  @Test("C17, C24: a finalizer holds it; the run is cancelled at once; emptying the finalizers takes it away") func finalizers()
    async throws
  {
    try await TestServer.run { server in
      let made = await server.post(Self.collection, Self.held)
      #expect(made.status == 201 && made.json["metadata"]?["finalizers"] == ["example.com/f"], "\(made.message)")
      let deleted = await server.send("DELETE", Self.a)
      #expect(deleted.status == 200 && deleted.json["kind"] == "Workflow", "\(deleted.message)")
      let metadata = deleted.json["metadata"]
      #expect(metadata?["deletionTimestamp"]?.string != nil && metadata?["deletionGracePeriodSeconds"] == 0 && metadata?["generation"] == 2)
      #expect(deleted.json["status"]?["reason"] == "Cancelled")
      let again = await server.send("DELETE", Self.a)
      #expect(again.status == 200 && again.json["metadata"]?["resourceVersion"] == metadata?["resourceVersion"])
      let more = await server.patch(Self.a, .merge, #"{"metadata":{"finalizers":["example.com/f","example.com/g"]}}"#)
      #expect(more.status == 422 && more.message.contains(#"found new finalizers []string{"example.com/g"}"#), "\(more.message)")
      let name = await server.post(Self.collection, Self.held)
      #expect(name.status == 409 && name.message.hasPrefix("object is being deleted: "), "\(name.message)")
      #expect(server.engine.keys.count == 1)
      let emptied = await server.patch(Self.a, .merge, #"{"metadata":{"finalizers":null}}"#)
      #expect(emptied.status == 200 && emptied.json["metadata"]?["uid"] == made.json["metadata"]?["uid"], "\(emptied.message)")
      #expect(await server.get(Self.a).status == 404)
      #expect(server.engine.keys.isEmpty)
    }
  }

  @Test("C26: propagation policies") func propagation() async throws {
    try await TestServer.run { server in
      for (policy, finalizer) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
        _ = await server.post(Self.collection, TestServer.manifest("a"))
        let deleted = await server.send("DELETE", Self.a, body: Array(#"{"propagationPolicy":"\#(policy)"}"#.utf8))
        #expect(deleted.json["metadata"]?["finalizers"] == [.string(finalizer)], "\(policy): \(deleted.message)")
        // As the garbage collector ends it.
        let version = deleted.json["metadata"]?["resourceVersion"]?.string ?? ""
        let ended = await server.patch(Self.a, .merge, #"{"metadata":{"resourceVersion":"\#(version)","finalizers":[]}}"#)
        #expect(ended.status == 200, "\(ended.message)")
        #expect(await server.get(Self.a).status == 404)
      }
      // Without a policy a finalizer of the garbage collector stays, with Background it goes.
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      _ = await server.patch(Self.a, .merge, #"{"metadata":{"finalizers":["foregroundDeletion"]}}"#)
      #expect(await server.send("DELETE", Self.a).json["metadata"]?["finalizers"] == ["foregroundDeletion"])
      let background = await server.send("DELETE", Self.a, query: "propagationPolicy=Background")
      #expect(background.json["status"] == "Success", "\(background.message)")
      #expect(await server.get(Self.a).status == 404)
    }
  }

  @Test("C2, C25: dry runs change nothing, preconditions hold") func checks() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, Self.held)
      let made = await server.get(Self.a)
      let dry = await server.send("DELETE", Self.a, query: "dryRun=All")
      #expect(
        dry.json["metadata"]?["deletionTimestamp"] != nil
          && dry.json["metadata"]?["resourceVersion"] == made.json["metadata"]?["resourceVersion"])
      let all = await server.send("DELETE", Self.collection, query: "dryRun=All")
      #expect(all.status == 200 && all.json["items"]?.array?.count == 1)
      #expect(await server.get(Self.a).json["metadata"]?["deletionTimestamp"] == nil)
      #expect(server.engine.calls(.setOverlay) == 0 && server.engine.calls(.cancel) == 0)
      let wrong = await server.send("DELETE", Self.a, body: Array(#"{"preconditions":{"uid":"zork"}}"#.utf8))
      #expect(wrong.status == 409 && wrong.message.contains("the UID in the precondition (zork) does not match"))
    }
  }

  @Test("C2: a dryRun that is not understood deletes nothing, neither one nor many") func malformedDryRun() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      for (list, code) in [("[5]", 400), ("[true]", 400), (#"[["All"]]"#, 400), ("[null]", 422), (#"[""]"#, 422)] {
        for path in [Self.a, Self.collection] {
          let answer = await server.send("DELETE", path, body: Array(#"{"dryRun":\#(list)}"#.utf8))
          #expect(answer.status == code, "\(list): \(answer.message)")
        }
      }
      for path in [Self.a, Self.collection] {
        let answer = await server.send("DELETE", path, query: "dryRun=")
        #expect(
          answer.status == 422 && answer.message.contains(#"dryRun: Unsupported value: [""]: supported values: "All""#), "\(answer.message)"
        )
      }
      #expect(await server.post(Self.collection, TestServer.manifest("b"), query: "dryRun=").status == 422)
      #expect(server.engine.keys.count == 1 && server.engine.calls(.cancel) == 0)
    }
  }

  @Test("design §6: a full overlay never keeps what is being deleted") func fullOverlay() async throws {
    try await TestServer(engine: { $0.overlayLimit = 2048 }).run { server in
      let held =
        #"{"metadata":{"name":"a","finalizers":["example.com/f","example.com/g"]},"spec":{"steps":[{"name":"s","command":["true"]}]}}"#
      #expect(await server.post(Self.collection, held).status == 201)
      let note = String(repeating: "x", count: 1740)
      let full = await server.patch(Self.a, .merge, #"{"metadata":{"annotations":{"note":"\#(note)"}}}"#)
      #expect(full.status == 200, "\(full.message)")
      #expect(await server.patch(Self.a, .merge, #"{"metadata":{"labels":{"more":"\#(note.prefix(60))"}}}"#).status == 422)
      #expect(await server.send("DELETE", Self.a, query: "propagationPolicy=Foreground").status == 200)
      for finalizers in [#"["example.com/g","foregroundDeletion"]"#, #"["foregroundDeletion"]"#, "null"] {
        let answer = await server.patch(Self.a, .merge, #"{"metadata":{"finalizers":\#(finalizers)}}"#)
        #expect(answer.status == 200, "\(finalizers): \(answer.message)")
      }
      #expect(await server.get(Self.a).status == 404)
      #expect(server.engine.keys.isEmpty)
    }
  }

  @Test("The finalizers that hold it are those that the engine has when the deletion is written") func finalizersMeanwhile() async throws {
    try await TestServer.run { server in
      let made = await server.post(Self.collection, Self.held).json
      let key = try #require(server.engine.keys.first)
      server.engine.pause(.overlay)
      async let answer = server.send("DELETE", Self.a, query: "propagationPolicy=Foreground")
      for _ in 0..<12_000 where server.engine.calls(.overlay) == 0 { try await Task.sleep(for: .milliseconds(10)) }
      // Another replica.
      try await server.engine.setOverlay(
        ["finalizers": ["example.com/f", "example.com/g"]], of: key, uid: made["metadata"]?["uid"]?.string ?? "", scope: AdapterScope([:]))
      server.engine.resume(.overlay)
      let deleted = await answer
      #expect(deleted.json["metadata"]?["finalizers"] == ["example.com/f", "example.com/g", "foregroundDeletion"], "\(deleted.message)")
    }
  }

  @Test("What is hidden while its deletion waits is not gone") func hiddenMeanwhile() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, Self.held)
      server.engine.pause(.overlay)
      async let first = server.send("DELETE", Self.a)
      for _ in 0..<12_000 where server.engine.calls(.overlay) == 0 { try await Task.sleep(for: .milliseconds(10)) }
      async let second = server.send("DELETE", Self.a)
      // The second waits for the first; its own look at the engine has to, too, and is given up.
      try await Task.sleep(for: .seconds(3))
      server.gateway.setNamespace("default", isHidden: true)
      server.engine.resume(.overlay)
      _ = await first
      #expect(await second.status == 404)
      #expect(server.engine.keys.count == 1)
    }
  }

  @Test("design §7: the intention outlives a failure of the engine") func finisher() async throws {
    try await TestServer.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      server.engine.failNext(.cancel, .unavailable)
      #expect(await server.send("DELETE", Self.a).status == 503)
      let gone = try await server.poll(Self.a) { $0.status == 404 }
      #expect(gone.status == 404 && server.engine.keys.isEmpty, "\(gone.status)")
    }
  }

  @Test("design §7: with Retain the run stays in the engine, and a finalizer holds the object all the same") func retain() async throws {
    try await TestServer(policy: .retain).run { server in
      _ = await server.post(Self.collection, Self.held)
      #expect(await server.send("DELETE", Self.a).json["metadata"]?["deletionTimestamp"] != nil)
      #expect(await server.patch(Self.a, .json, #"[{"op":"remove","path":"/metadata/finalizers"}]"#).status == 200)
      #expect(await server.get(Self.a).status == 404)
      #expect(server.engine.keys.count == 1)
    }
  }

  @Test("S3: an apply over a run that is not shown is one submission, however patient the client") func applyOverARetainedRun() async throws
  {
    try await TestServer(policy: .retain).run { server in
      _ = await server.post(Self.collection, Self.held)
      _ = await server.send("DELETE", Self.a)
      _ = await server.patch(Self.a, .json, #"[{"op":"remove","path":"/metadata/finalizers"}]"#)
      #expect(await server.get(Self.a).status == 404 && server.engine.calls(.submit) == 1)
      let answer = await server.patch(Self.a, .apply, TestServer.manifest("a"), query: "fieldManager=me")
      #expect(answer.status == 409 && answer.message.contains("still has a run under the key"), "\(answer.message)")
      #expect(server.engine.calls(.submit) == 2)
    }
  }

  @Test("C28: a collection, by selector") func collection() async throws {
    try await TestServer.run { server in
      for name in ["a", "b", "c"] {
        _ = await server.post(Self.collection, TestServer.manifest(name).replacing("\"team\":\"build\"", with: "\"team\":\"\(name)\""))
      }
      let some = await server.send("DELETE", Self.collection, query: "labelSelector=team+in+(a,b)")
      #expect(some.status == 200 && some.json["items"]?.array?.count == 2, "\(some.message)")
      #expect(await server.get(Self.collection).json["items"]?.array?.map { $0["metadata"]?["name"] } == ["c"])
    }
  }

  @Test("C6, design §7: namespaces that are going or gone") func namespaces() async throws {
    let directory = TestNamespaces()
    try await TestServer(namespaces: directory).run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      directory.set("default", .terminating)
      let made = await server.post(Self.collection, TestServer.manifest("b"))
      #expect(made.status == 403 && made.json["details"]?["causes"]?.array?.first?["reason"] == "NamespaceTerminating", "\(made.message)")
      #expect(made.message.contains("unable to create new content in namespace default because it is being terminated"))
      let answer = await server.send(
        "DELETE", Self.collection, body: Array(#"{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}"#.utf8))
      #expect(answer.status == 200, "\(answer.message)")
      let list = await server.get(Self.collection)
      #expect(list.status == 200 && list.json["items"] == [])
      #expect(await server.get(Self.a).status == 404)
      for _ in 0..<6_000 where server.engine.calls(.cancel) == 0 { try await Task.sleep(for: .milliseconds(20)) }
      #expect(server.engine.calls(.cancel) == 1 && server.engine.calls(.delete) == 0 && server.engine.keys.count == 1)

      directory.set("default", .missing)
      let missing = await server.post(Self.collection, TestServer.manifest("b"))
      #expect(missing.status == 404 && missing.message == #"namespaces "default" not found"#)
      #expect(missing.json["details"] == ["name": "default", "kind": "namespaces"])
      directory.set("default", .active)
      server.gateway.setNamespace("default", isHidden: false)
      #expect(await server.get(Self.a).status == 200)
      #expect(await server.get("/namespaces/default/workflowtemplates").status == 200)
    }
  }

  @Test("a run of a namespace that is going is cancelled once at a time, and the operator learns once what failed") func leaving()
    async throws
  {
    let directory = TestNamespaces()
    let told = Mutex<[String]>([])
    let server = TestServer(
      namespaces: directory, onLeavingFailure: { binding, _, error in told.withLock { $0.append("\(binding) \(error.code)") } })
    try await server.run { server in
      _ = await server.post(Self.collection, TestServer.manifest("a"))
      server.engine.failNext(.cancel, .unavailable, .unavailable, .unavailable)
      directory.set("default", .terminating)
      for _ in 0..<3 { #expect(await server.send("DELETE", Self.collection).status == 200) }
      #expect(server.gateway.leavingRuns == 1)
      for _ in 0..<6_000 where told.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(20)) }
      for _ in 0..<3 { #expect(await server.send("DELETE", Self.collection).status == 200) }
      #expect(server.engine.calls(.cancel) == 1 && server.gateway.leavingRuns == 1)
    }
    #expect(told.withLock { $0 } == ["memory-default unavailable"])
  }
}

/// A cluster's namespaces, as the test says.
final class TestNamespaces: NamespaceDirectory {
  private let states = Mutex<[String: NamespaceState]>([:])
  func set(_ name: String, _ state: NamespaceState) { states.withLock { $0[name] = state } }
  func state(of namespace: String) async throws(StatusError) -> NamespaceState { states.withLock { $0[namespace] ?? .active } }
  func liveState(of namespace: String) async throws(StatusError) -> NamespaceState { try await state(of: namespace) }
}
