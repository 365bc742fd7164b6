internal import AdapterKit
internal import JSON

/// What a reconciler remembers of a run that the store knows.
struct TrackedRun: Sendable {
  var lastSeen: Timestamp
  var createdAt: Timestamp?
  var endedAt: Timestamp?
  var isActive: Bool
  /// When a read of exactly this run was last asked for.
  var lastAsked = Timestamp(microseconds: .min)
  /// Reads in a row that failed for this run alone.
  var failures = 0

  init(_ summary: RunSummary) {
    lastSeen = summary.lastSeen
    createdAt = summary.createdAt
    endedAt = summary.endedAt
    isActive = summary.isActive
  }

  mutating func update(_ summary: RunSummary) {
    lastSeen = summary.lastSeen
    createdAt = summary.createdAt
    endedAt = summary.endedAt
    isActive = summary.isActive
    if !summary.wants.contains(.envelope) { failures = 0 }
  }
}
