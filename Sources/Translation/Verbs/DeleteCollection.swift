internal import AdapterKit
internal import JSON
package import KubeWire

extension Gateway {
  /// DELETE of a collection: what the options select and the binding's `access` allows. Runs that the gateway did not start stay untouched under
  /// `access: Submit`; they are left out of the answer.
  ///
  /// In a namespace that is going, active runs of ours are cancelled, nothing is removed from any engine, and the answer comes at once (design §7).
  package func deleteCollection(namespace: String, list: ListOptions, options: DeleteOptions, context: RequestContext)
    async throws(StatusError)
    -> ListResult
  {
    switch try await namespaces.liveState(of: namespace) {
    case .active: break
    case .terminating: return try leave(namespace, list: list, cancels: true, dryRun: options.dryRun, context: context)
    case .missing: return try leave(namespace, list: list, cancels: false, dryRun: options.dryRun, context: context)
    }
    for bound in bindings where bound.info.namespace == namespace { try checkAccess(bound, name: "", write: "deletecollection") }
    var result = try await self.list(.workflows, namespace: namespace, options: list, context: context)
    var deleted: [StoredObject] = []
    var spared = 0
    // Engines are slow, collections large: a few at a time.
    for start in stride(from: 0, to: result.items.count, by: Self.deletionsAtOnce) {
      let some = result.items[start..<min(start + Self.deletionsAtOnce, result.items.count)]
      let outcomes = await withTaskGroup(of: (Int, StatusError?).self) { group in
        for (index, object) in zip(some.indices, some) {
          group.addTask {
            do throws(StatusError) {
              _ = try await self.delete(object, options: options, context: context)
              return (index, nil)
            } catch {
              return (index, error)
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }
      }
      for (index, error) in outcomes {
        switch error?.code {
        case nil: deleted.append(result.items[index])
        case 404: continue
        case 403 where error?.status.message.contains("access:") ?? false: spared += 1
        default: throw error!
        }
      }
    }
    if spared > 0 {
      context.warn("\(spared) runs were not started by the gateway and stay; deleting them takes access: Manage on the binding")
    }
    result.items = deleted
    return result
  }

  private static let deletionsAtOnce = 8

  /// Hides a namespace that is going or gone, and has its active runs cancelled in the background: engines never block a namespace.
  ///
  /// - Returns: what was still shown in it.
  private func leave(_ namespace: String, list: ListOptions, cancels: Bool, dryRun: Bool, context: RequestContext) throws(StatusError)
    -> ListResult
  {
    var shown = list
    shown.resourceVersion = "0"
    shown.resourceVersionMatch = ""
    let result = try store.list(.workflows, namespace: namespace, options: shown)
    guard !dryRun else { return result }
    if cancels {
      let selection = ObjectSelection(namespace: namespace, options: list)
      for bound in bindings where bound.info.namespace == namespace && bound.info.access != .observe && bound.abilities.cancelling != nil {
        for (ref, uid) in store.activeOwnRuns(bound.id) {
          // Hidden ones cannot be selected any more: a namespace is deleted as a whole.
          if let object = store.object(of: ref), !selection.matches(object.draft) { continue }
          leaving.add(LeavingRuns.Run(ref: ref, uid: uid, bound: bound))
          note(bound, ref.key, context)
        }
      }
    }
    setNamespace(namespace, isHidden: true)
    return result
  }

  /// Cancels the runs of namespaces that are gone, each until its engine took it or the run has ended.
  func cancelLeavingRuns() async {
    await withDiscardingTaskGroup { group in
      for await run in leaving.runs {
        group.addTask { await self.cancelLeaving(run) }
      }
      group.cancelAll()
    }
  }

  private func cancelLeaving(_ run: LeavingRuns.Run) async {
    var pause = Duration.seconds(5)
    while !Task.isCancelled, store.run(run.ref)?.isActive ?? false {
      let isDone = await run.bound.driver.withRunLock(run.ref.key) { () async -> Bool in
        do throws(AdapterError) {
          try await self.cancel(run.ref, uid: run.uid, reason: "its namespace is being deleted", bound: run.bound)
          return true
        } catch {
          return error.code == .conflict || error.code == .notFound || error.code == .unsupported
        }
      }
      if isDone { return }
      try? await clock.sleep(until: clock.now + pause)
      pause = min(pause * 2, .seconds(600))
    }
  }
}

/// Runs whose namespace is going, on their way to being cancelled. It lives as long as the process.
final class LeavingRuns: Sendable {
  struct Run: Sendable {
    var ref: RunRef
    var uid: String
    var bound: Bound
  }

  let runs: AsyncStream<Run>
  private let queue: AsyncStream<Run>.Continuation

  init() { (runs, queue) = AsyncStream.makeStream(of: Run.self) }

  func add(_ run: Run) { queue.yield(run) }
}
