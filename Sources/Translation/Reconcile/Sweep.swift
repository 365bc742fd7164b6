internal import AdapterKit
internal import JSON

/// A full reading of a binding that is under way.
struct Sweep: Sendable {
  enum Stage: Sendable {
    case pages
    /// Overlays that are kept apart, page by page, after the runs.
    case overlays
    /// Before the first sweep has ended: what changed while it was read.
    case changes
    /// Everything was read; the last of it is on its way into the store.
    case observing
    /// Direct reads of runs whose rows do not tell their envelope.
    case settling
  }

  let began: Timestamp
  /// Finished runs from before are not in the list.
  private(set) var since: Timestamp
  var stage = Stage.pages
  var rows = 0
  var oldestRow: Timestamp?
  /// Rows that could not be understood: then nothing can be said about absence.
  var unreadable: [String] = []
  var overlays: [String: JSONValue] = [:]
  var overlaysBegan: Timestamp?
  /// False when the pages are read again after them.
  var readsOverlays = true
  /// When its last page was there.
  var readEnded: Timestamp
  /// Rows may have moved while the pages were read, so that some were passed over.
  var mayHaveSkipped = false
  /// False when the adapter cannot tell what changed meanwhile.
  var readsChanges = true
  /// How often its pages were read from the beginning, and how many were read.
  private var passes = 1
  private(set) var pages = 0
  /// The runs that the passes saw; before the first sweep has ended.
  private var seen: Set<RunKey> = []
  /// Of those, the ones that this pass was the first to see.
  private var news = 0
  /// A first sweep whose pages may have passed rows over is read again until it brings nothing new, but an engine in which that never happens is not waited
  /// for.
  static let longestSearch = 5

  /// The uids of the envelopes in its rows; before the first sweep has ended, where overlays are kept apart.
  private var uids: Set<String> = []

  init(began: Timestamp, since: Timestamp) {
    self.began = began
    self.since = since
    readEnded = began
  }

  mutating func take(_ page: RunPage) {
    rows += page.observations.count
    unreadable += page.unreadable
    for observation in page.observations {
      if case .present(let core) = observation.core, let created = core.createdAt { oldestRow = min(oldestRow ?? created, created) }
    }
  }

  /// For ``mustRepeat``.
  mutating func note(rowsOf page: RunPage) {
    pages += 1
    mayHaveSkipped = mayHaveSkipped || page.mayHaveSkipped
    for observation in page.observations where seen.insert(observation.key).inserted { news += 1 }
  }

  /// Whether only another reading of all pages tells if some run was passed over.
  var mustRepeat: Bool { mayHaveSkipped && passes < Self.longestSearch && (passes == 1 || news > 0) }

  mutating func startAgain() {
    passes += 1
    news = 0
    readsOverlays = false
    stage = .pages
    rows = 0
  }

  /// For ``misses(_:)``.
  mutating func note(uidsOf page: RunPage) {
    for observation in page.observations {
      if case .present(let envelope) = observation.envelope, let uid = envelope["uid"]?.string { uids.insert(uid) }
    }
  }

  /// Whether some overlay holds an object whose run it has not seen, or not as ours.
  func misses(_ overlays: [String: JSONValue]) -> Bool {
    since > Self.beginning && overlays.contains { Held.says($0.value) ?? false && !uids.contains($0.key) }
  }

  /// Starts its pages again, for all that the engine has.
  mutating func reachBack() {
    since = Self.beginning
    stage = .pages
    rows = 0
  }

  /// Of time: no run is older.
  static let beginning = Timestamp(microseconds: 0)

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
