internal import AdapterKit
internal import JSON

/// The runs of a binding as its reconciler remembers them, with the few that need attention apart, so that a look at those costs nothing.
struct RunTable: Sendable {
  private(set) var all: [RunKey: TrackedRun] = [:]
  private(set) var active: Set<RunKey> = []
  /// The store cannot show them before a direct read told their envelope.
  private(set) var lacking: Set<RunKey> = []
  /// Direct reads did not help; the next sweep tries again.
  private(set) var unreadable: Set<RunKey> = []
  /// Runs whose steps were read before their state changed: until they are read, a finished run shows the steps of one that runs.
  private(set) var outdated: Set<RunKey> = []
  /// When runs are to be cancelled for their age, and not before.
  private(set) var deadlines: [RunKey: Timestamp] = [:]

  /// Reads that may fail for one run alone before it counts as unreadable.
  static let attempts = 3

  var count: Int { all.count }

  subscript(key: RunKey) -> TrackedRun? { all[key] }

  mutating func learn(_ summary: RunSummary) {
    let key = summary.ref.key
    if all[key] == nil { all[key] = TrackedRun(summary) } else { all[key]?.update(summary) }
    if summary.isActive { active.insert(key) } else { active.remove(key) }
    if summary.wants.contains(.envelope) {
      if !unreadable.contains(key) { lacking.insert(key) }
    } else {
      lacking.remove(key)
      unreadable.remove(key)
    }
    if !summary.wants.contains(.steps) { outdated.remove(key) }
    guard let due = summary.cancelAt else {
      deadlines[key] = nil
      return
    }
    if deadlines[key].map({ $0 < due }) ?? true { deadlines[key] = due }
  }

  mutating func remove(_ key: RunKey) {
    all[key] = nil
    active.remove(key)
    lacking.remove(key)
    unreadable.remove(key)
    outdated.remove(key)
    deadlines[key] = nil
  }

  mutating func wantsSteps(_ key: RunKey) { outdated.insert(key) }

  /// A read of it told no steps, or failed for this run alone: its next change asks again.
  mutating func hasNoSteps(_ key: RunKey) { outdated.remove(key) }

  /// Those that were not asked for for the longest time.
  func longestUnasked(_ keys: Set<RunKey>, _ limit: Int) -> [RunKey] {
    let never = Timestamp(microseconds: .min)
    return keys.map { ($0, all[$0]?.lastAsked ?? never) }
      .sorted { $0.1 == $1.1 ? RunKey.precedes($0.0, $1.0) : $0.1 < $1.1 }
      .prefix(limit).map(\.0)
  }

  mutating func asked(_ key: RunKey, now: Timestamp) { all[key]?.lastAsked = now }

  mutating func postponeCancel(_ key: RunKey, to moment: Timestamp) { deadlines[key] = moment }

  /// - Returns: false when it is not worth another try.
  mutating func readFailed(_ key: RunKey) -> Bool {
    all[key]?.failures += 1
    guard let run = all[key], run.failures < Self.attempts else {
      giveUp(key)
      return false
    }
    return true
  }

  mutating func giveUp(_ key: RunKey) {
    if lacking.remove(key) != nil { unreadable.insert(key) }
  }

  /// A new sweep gives every run a new chance.
  mutating func forgive() {
    for key in unreadable { all[key]?.failures = 0 }
    unreadable = []
  }
}
