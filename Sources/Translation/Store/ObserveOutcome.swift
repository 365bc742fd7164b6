internal import AdapterKit
package import JSON

/// What a change of the store means for watchers and for the reconcilers.
package struct ObserveOutcome: Sendable {
  /// The namespaces in which objects changed, by kind.
  var touched: ObjectStore.Touched = [:]
  /// One for each run that was observed.
  package var summaries: [RunSummary] = []
  /// Runs that are known no longer.
  package var gone: [RunRef] = []

  init() {}

  /// True when some object changed.
  package var changedObjects: Bool { !touched.isEmpty }
}

/// What a reconciler has to know of a run.
package struct RunSummary: Sendable, Hashable {
  package struct Wants: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A list says that a finished run without attempts is active again: a direct read decides.
    package static let confirmation = Wants(rawValue: 1)
    /// Overlapping reads disagree.
    package static let refresh = Wants(rawValue: 2)
    /// Core or envelope are not known yet, so it cannot be shown.
    package static let envelope = Wants(rawValue: 4)
    /// Its steps are not known, or older than its state.
    package static let steps = Wants(rawValue: 8)
    /// Its core changed just now.
    package static let changed = Wants(rawValue: 16)
  }

  package var ref: RunRef
  /// When the latest call began that saw it.
  package var lastSeen: Timestamp
  package var createdAt: Timestamp?
  package var endedAt: Timestamp?
  package var isActive: Bool
  /// When its timeout is over; nil when it has none, or does not own its envelope.
  package var cancelAt: Timestamp?
  package var wants: Wants
}

/// Runs to be projected again, each once, in the order in which they were named.
struct DirtyRuns {
  private(set) var order: [RunRef] = []
  private var members: Set<RunRef> = []

  var isEmpty: Bool { order.isEmpty }

  mutating func insert(_ ref: RunRef) { if members.insert(ref).inserted { order.append(ref) } }
}
