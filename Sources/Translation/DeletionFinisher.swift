internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// Completes two-phase deletions: a run with a deletionTimestamp that has ended is removed from its engine. The intention is in the run's overlay, so
/// this picks up after a restart what an earlier life began.
struct DeletionFinisher: Sendable {
  let gateway: Gateway

  func run() async {
    let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    gateway.store.wakeOnChange(of: .workflows) { signal.yield() }
    await withDiscardingTaskGroup { group in
      // A removal that failed is tried again even when nothing changes.
      group.addTask {
        while (try? await gateway.clock.sleep(until: gateway.clock.now + .seconds(10))) != nil { signal.yield() }
        signal.finish()
      }
      for await _ in changes {
        for object in gateway.store.read({ $0.objects[.workflows].objects }) where object.draft.metadata["deletionTimestamp"] != nil {
          await finish(object)
        }
      }
      group.cancelAll()
    }
  }

  private func finish(_ object: StoredObject) async {
    guard let (bound, ref) = try? gateway.located(namespace: object.draft.namespace, name: object.draft.name),
      let run = gateway.store.run(ref), !run.isActive
    else { return }
    // A failure leaves the deletionTimestamp in place: the next round tries again.
    try? await bound.driver.withRunLock(ref.key) { () async throws(AdapterError) in
      try await gateway.remove(ref, uid: object.draft.uid, bound: bound)
    }
  }
}
