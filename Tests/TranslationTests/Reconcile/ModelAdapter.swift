import AdapterKit
import JSON
import Synchronization

@testable import Translation

/// A ``ModelEngine`` behind the adapter's protocols. Direct reads can be held back to make things overlap.
final class ModelAdapter: Adapter, IncrementalListing, Cancelling {
  let engine = Mutex(ModelEngine())
  private let gate = Mutex<(isShut: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))
  let traits = AdapterTraits(engine: "Model", name: "model", version: "1", submissionKeys: .enforced)

  func hold() { gate.withLock { $0.isShut = true } }

  func letGo() {
    let waiting = gate.withLock { gate in
      defer { gate = (false, []) }
      return gate.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func calls(_ name: String) -> Int { engine.withLock { $0.calls[name] ?? 0 } }

  func health() async throws(AdapterError) -> EngineHealth { EngineHealth(reachable: engine.withLock { !$0.isDown }, authenticated: true) }

  func submit(_ submission: Submission) async throws(AdapterError) -> Observation { throw AdapterError(.unsupported, "no") }

  func get(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation {
    let result = engine.withLock { $0.get(key) }
    await withCheckedContinuation { continuation in
      let passes = gate.withLock { gate in
        if gate.isShut { gate.waiting.append(continuation) }
        return !gate.isShut
      }
      if passes { continuation.resume() }
    }
    return try result.get()
  }

  func list(_ scope: AdapterScope, since: Timestamp?, cursor: JSONValue?) async throws(AdapterError) -> RunPage {
    try engine.withLock { $0.page(since: since!, cursor: cursor) }.get()
  }

  func changes(_ scope: AdapterScope, since mark: JSONValue?, now: Timestamp) async throws(AdapterError) -> ChangePage {
    try engine.withLock { $0.changes(mark) }.get()
  }

  func find(submissionKey: String, template: String?, kind: RunKey.Kind, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    nil
  }

  func cancel(_ key: RunKey, uid: String, reason: String, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    engine.withLock { engine in
      engine.calls["cancel", default: 0] += 1
      engine.set(key.id) { ($0.phase, $0.raw, $0.finished) = (.failed, reason, at(0)) }
      return engine.observation(key.id, engine.runs[key.id]!, isRow: false)
    }
  }
}
