internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// Completes two-phase deletions of one binding: a run with a deletionTimestamp is cancelled while it is active and removed from its engine when it has
/// ended. The intention is in the run's overlay, so this picks up after a restart what an earlier life began.
struct DeletionFinisher: Sendable {
  let gateway: Gateway
  let bound: Bound

  /// A removal that failed is tried again after that, doubled with each failure.
  private static let firstPause: Duration = .seconds(5)
  private static let longestPause: Duration = .seconds(600)

  private struct Failure {
    var pause: Duration
    var next: Timestamp
  }

  func run() async {
    // Finishing a deletion is a write, and Retain takes runs out of sight only.
    guard bound.info.access != .observe, bound.info.deletionPolicy == .delete else { return }
    let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    gateway.store.wakeOnChange(of: .workflows) { signal.yield() }
    await withDiscardingTaskGroup { group in
      group.addTask {
        while (try? await gateway.clock.sleep(until: gateway.clock.now + Self.firstPause)) != nil { signal.yield() }
        signal.finish()
      }
      var failures: [String: Failure] = [:]
      for await _ in changes {
        let terminating = gateway.store.read { state in
          state.objects[.workflows].objects.filter { $0.draft.metadata["deletionTimestamp"] != nil }.map(\.draft.uid)
        }
        failures = failures.filter { terminating.contains($0.key) }
        for uid in terminating where failures[uid].map({ $0.next <= gateway.clock.now }) ?? true {
          if await finish(uid) {
            failures[uid] = nil
          } else {
            let pause = min(failures[uid].map { $0.pause * 2 } ?? Self.firstPause, Self.longestPause)
            failures[uid] = Failure(pause: pause, next: gateway.clock.now + pause)
          }
        }
      }
      group.cancelAll()
    }
  }

  /// - Returns: false when the engine refused or failed; the deletionTimestamp stays, and it is tried again later.
  private func finish(_ uid: String) async -> Bool {
    guard let ref = gateway.store.ref(uid: uid), ref.binding == bound.id else { return true }
    guard gateway.isOurs(ref) || bound.info.access == .manage else { return true }
    do {
      try await bound.driver.withRunLock(ref.key) { () async throws(AdapterError) in
        // It may be another run by now, or one whose cancel is on its way.
        guard let object = gateway.store.object(of: ref), object.draft.uid == uid, object.draft.metadata["deletionTimestamp"] != nil else {
          return
        }
        _ = try await gateway.remove(ref, uid: uid, bound: bound)
      }
      return true
    } catch {
      return false
    }
  }
}
