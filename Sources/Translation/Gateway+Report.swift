package import AdapterKit
package import JSON
internal import Synchronization

/// How one binding stands, for metrics.
package struct BindingReport: Sendable {
  package let name: String
  package let backend: String
  /// When the last complete sweep ended; nil before the first.
  package let lastSweep: Timestamp?
  package let isSynced: Bool
  /// Runs that are known, by phase; nil for those whose phase is not known.
  package let runs: [RunPhase?: Int]
}

/// What can be read of the gateway from outside, without changing anything.
extension Gateway {
  package var bindingReports: [BindingReport] {
    bindings.map { bound in
      let (lastSweep, isSynced) = bound.driver.state.withLock { ($0.reconciler.lastSweep, $0.reconciler.conditions.synced.status == true) }
      let runs = store.read { state in
        var runs: [RunPhase?: Int] = [:]
        for entry in (state.bindings[bound.id]?.runs ?? [:]).values where entry.run.key.kind == .run {
          runs[entry.run.core?.phase, default: 0] += 1
        }
        return runs
      }
      return BindingReport(name: bound.info.name, backend: bound.info.backend, lastSweep: lastSweep, isSynced: isSynced, runs: runs)
    }
  }

  /// Objects that are served, by kind.
  package var objectCounts: [Resource: Int] {
    store.read { state in Dictionary(uniqueKeysWithValues: Resource.allCases.map { ($0, state.objects[$0].objects.count) }) }
  }

  /// Creates whose answer was lost and that are still being looked up.
  package var submissionsInDoubt: Int { reservations.inDoubt }

  /// Runs of namespaces that are going whose cancel is still owed.
  package var leavingRuns: Int { leaving.count }
}
