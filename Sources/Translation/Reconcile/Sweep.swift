internal import AdapterKit
internal import JSON

/// A full reading of a binding that is under way.
struct Sweep: Sendable {
  enum Stage: Sendable {
    case pages
    /// Overlays that are kept apart, page by page, after the runs.
    case overlays
    /// Everything was read; the last of it is on its way into the store.
    case observing
    /// Direct reads of runs whose rows do not tell their envelope.
    case settling
  }

  let began: Timestamp
  /// Finished runs from before are not in the list.
  let since: Timestamp
  var stage = Stage.pages
  var rows = 0
  var oldestRow: Timestamp?
  /// Rows that could not be understood: then nothing can be said about absence.
  var unreadable: [String] = []
  var overlays: [String: JSONValue] = [:]
  var overlaysBegan: Timestamp?

  init(began: Timestamp, since: Timestamp) {
    self.began = began
    self.since = since
  }

  mutating func take(_ page: RunPage) {
    rows += page.observations.count
    unreadable += page.unreadable
    for observation in page.observations {
      if case .present(let core) = observation.core, let created = core.createdAt { oldestRow = min(oldestRow ?? created, created) }
    }
  }

  /// Whether this sweep would have shown a run if it were still there.
  func reaches(_ run: TrackedRun, _ abilities: ReconcilerAbilities) -> Bool {
    guard run.lastSeen < began else { return false }
    if let ended = run.endedAt, ended < since { return false }
    // Active runs are listed whatever their age.
    if !run.isActive, let created = run.createdAt, created < since { return false }
    if let age = abilities.listReachAge, run.createdAt.map({ $0 < began - age }) ?? true { return false }
    if let limit = abilities.listReachRows, rows >= limit {
      guard let created = run.createdAt, let oldestRow, created > oldestRow else { return false }
    }
    return true
  }
}
