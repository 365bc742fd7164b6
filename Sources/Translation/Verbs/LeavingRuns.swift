package import AdapterKit
internal import JSON
internal import Synchronization

/// Runs whose namespace is going, on their way to being cancelled. It lives as long as the process.
final class LeavingRuns: Sendable {
  struct Run: Sendable {
    var ref: RunRef
    var uid: String
    var bound: Bound
  }

  let runs: AsyncStream<Run>
  private let queue: AsyncStream<Run>.Continuation
  private let owed = Mutex<Set<RunRef>>([])

  init() { (runs, queue) = AsyncStream.makeStream(of: Run.self) }

  /// How many cancels are still owed.
  var count: Int { owed.withLock { $0.count } }

  func owes(_ ref: RunRef) -> Bool { owed.withLock { $0.contains(ref) } }

  /// Does nothing for a run that is on its way already: the namespace controller asks again and again.
  func add(_ run: Run) {
    if owed.withLock({ $0.insert(run.ref).inserted }) { queue.yield(run) }
  }

  func done(_ ref: RunRef) { owed.withLock { _ = $0.remove(ref) } }
}

/// Told once for each run of a namespace that is going, when its engine did not take the cancel; it is tried on.
package typealias LeavingFailure = @Sendable (_ binding: String, _ run: RunKey, _ error: AdapterError) -> Void

extension Gateway {
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
    defer { leaving.done(run.ref) }
    var pause = Duration.seconds(5)
    var isTold = false
    while !Task.isCancelled, store.run(run.ref)?.isActive ?? false {
      let failure = await run.bound.driver.withRunLock(run.ref.key) { () async -> AdapterError? in
        do throws(AdapterError) {
          try await self.cancel(run.ref, uid: run.uid, reason: "its namespace is being deleted", bound: run.bound)
          return nil
        } catch {
          return error
        }
      }
      guard let failure, !Task.isCancelled else { return }
      if !isTold, failure.code != .conflict, failure.code != .notFound { onLeavingFailure(run.bound.info.name, run.ref.key, failure) }
      isTold = true
      if [.conflict, .notFound, .unsupported].contains(failure.code) { return }
      try? await clock.sleep(until: clock.now + pause)
      pause = min(pause * 2, .seconds(600))
    }
  }
}
