internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// Completes two-phase deletions of one binding: a run with a deletionTimestamp is cancelled while it is active, and goes when it has ended and no finalizer
/// holds it. The intention is in the run's overlay, so this picks up after a restart what an earlier life began.
struct DeletionFinisher: Sendable {
  let gateway: Gateway
  let bound: Bound

  /// Between two looks, and before a step that failed is tried again; the latter doubles with each failure.
  private static let firstPause: Duration = .seconds(5)
  private static let longestPause: Duration = .seconds(600)
  /// A cancel that the engine took may take a while to show; after that it is asked again.
  private static let cancelPause: Duration = .seconds(30)

  private struct Wait {
    var pause: Duration
    var next: Timestamp
    /// The state in which it was left: another one is looked at at once.
    var version: UInt64
  }

  func run() async {
    // Finishing a deletion is a write.
    guard bound.info.access != .observe else { return }
    let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    gateway.store.wakeOnChange(of: .workflows) { signal.yield() }
    await withDiscardingTaskGroup { group in
      group.addTask {
        while (try? await gateway.clock.sleep(until: gateway.clock.now + Self.firstPause)) != nil { signal.yield() }
        signal.finish()
      }
      var waits: [String: Wait] = [:]
      for await _ in changes {
        let terminating = gateway.store.terminating(bound.id)
        waits = waits.filter { terminating.contains($0.key) }
        for uid in terminating.sorted() {
          guard let version = gateway.store.object(uid: uid)?.version else { continue }
          if let wait = waits[uid], wait.next > gateway.clock.now, wait.version == version { continue }
          if await finish(uid) {
            // What is held by a finalizer, or still ending, changes before there is more to do.
            let version = gateway.store.object(uid: uid)?.version ?? 0
            waits[uid] = Wait(pause: Self.firstPause, next: gateway.clock.now + Self.cancelPause, version: version)
          } else {
            let pause = min(waits[uid].map { $0.pause * 2 } ?? Self.firstPause, Self.longestPause)
            waits[uid] = Wait(pause: pause, next: gateway.clock.now + pause, version: version)
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
        try await gateway.finishDeletion(ref, object, bound: bound)
      }
      return true
    } catch {
      return false
    }
  }
}
