import JSON
import KubeWire
import Synchronization
import Testing
import Translation

@testable import Admission

@Suite struct ResourceQuotaTests {
  private static let count = "count/workflows.workflow.example.com"

  private static func quota(_ name: String, namespace: String = "team", _ limit: String, _ more: JSONValue = [:]) -> JSONValue {
    let spec: JSONValue = ["hard": [count: .string(limit), "pods": "1"]]
    return ["metadata": ["name": .string(name), "namespace": .string(namespace)], "spec": spec.merging(patch: more)]
  }

  private func withQuotas(
    _ quotas: [JSONValue], existing: Set<String>, _ body: (AdmissionChain) async throws -> Void
  ) async throws {
    let cluster = FakeCluster()
    for quota in quotas { cluster.put("/api/v1/resourcequotas", quota) }
    try await withChain(cluster, count: { namespace, besides in namespace == "team" ? existing.subtracting(besides).count : 0 }, body)
  }

  @Test func theLastPlaceIsTaken() async throws {
    try await withQuotas([Self.quota("runs", "2")], existing: ["a"]) { chain in
      #expect(await chain.validating(aWrite(name: "b", uid: "1")) == nil)
      let refused = await chain.validating(aWrite(name: "c", uid: "2"))
      #expect(refused?.code == 403 && refused?.status.reason == "Forbidden")
      #expect(
        refused?.status.message
          == #"workflows.workflow.example.com "c" is forbidden: exceeded quota: runs, requested: \#(Self.count)=1, used: \#(Self.count)=2, limited: \#(Self.count)=2"#
      )
      // The write that held the place has ended without an object: it is free again.
      chain.finish(aWrite(name: "b", uid: "1"))
      #expect(await chain.validating(aWrite(name: "c", uid: "2")) == nil)
    }
  }

  /// Between the moment when the object is there and the end of the request it counts once.
  @Test func aWriteUnderWayIsNotCountedTwice() async throws {
    try await withQuotas([Self.quota("runs", "2")], existing: ["a"]) { chain in
      #expect(await chain.validating(aWrite(name: "a", uid: "1")) == nil)
      #expect(await chain.validating(aWrite(name: "b", uid: "2")) == nil)
      #expect(await chain.validating(aWrite(name: "c", uid: "3")) != nil)
    }
  }

  @Test func manyAtOnceFillItExactly() async throws {
    try await withQuotas([Self.quota("runs", "5")], existing: []) { chain in
      let admitted = await withTaskGroup(of: Bool.self) { group in
        for i in 0..<20 {
          group.addTask { await chain.validating(aWrite(name: "w\(i)", uid: "\(i)")) == nil }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(admitted == 5)
    }
  }

  @Test func whatIsNotHeldToIt() async throws {
    let scoped = Self.quota("scoped", "0", ["scopes": ["NotTerminating"]])
    let selected = Self.quota(
      "selected", "0", ["scopeSelector": ["matchExpressions": [["scopeName": "PriorityClass", "operator": "Exists"]]]])
    let elsewhere = Self.quota("other", namespace: "elsewhere", "0")
    let silent: JSONValue = ["metadata": ["name": "pods", "namespace": "team"], "spec": ["hard": ["pods": "0"]]]
    try await withQuotas([scoped, selected, elsewhere, silent], existing: ["a", "b"]) { chain in
      #expect(await chain.validating(aWrite()) == nil)
    }
    try await withQuotas([Self.quota("runs", "0")], existing: ["a"]) { chain in
      #expect(await chain.validating(aWrite(.update)) == nil)
      #expect(await chain.validating(aWrite(.delete)) == nil)
      #expect(await chain.validating(aWrite(subresource: "cancel")) == nil)
      #expect(await chain.validating(aWrite()) != nil)
    }
  }

  @Test func aDryRunHoldsNoPlace() async throws {
    try await withQuotas([Self.quota("runs", "1")], existing: []) { chain in
      #expect(await chain.validating(aWrite(name: "a", dryRun: true, uid: "1")) == nil)
      #expect(await chain.validating(aWrite(name: "b", uid: "2")) == nil)
      #expect(await chain.validating(aWrite(name: "c", dryRun: true, uid: "3")) != nil)
    }
  }

  /// Also not while it counts: a create that comes meanwhile finds the last place free.
  @Test func aDryRunHoldsNoPlaceWhileItCounts() async throws {
    let cluster = FakeCluster()
    cluster.put("/api/v1/resourcequotas", Self.quota("runs", "1"))
    let meanwhile = Mutex<AdmissionChain?>(nil)
    let refusals = Mutex<[StatusError?]>([])
    let count: CountingObjects = { _, _ in
      let chain = meanwhile.withLock { chain in
        defer { chain = nil }
        return chain
      }
      if let chain {
        let refusal = await chain.validating(aWrite(name: "real", uid: "2"))
        refusals.withLock { $0.append(refusal) }
      }
      return 0
    }
    try await withChain(cluster, count: count) { chain in
      meanwhile.withLock { $0 = chain }
      _ = await chain.validating(aWrite(name: "try", dryRun: true, uid: "1"))
      #expect(refusals.withLock { $0.map { $0?.status.message } } == [nil])
    }
  }
}
