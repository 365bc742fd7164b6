internal import AdapterKit
internal import JSON

/// Uids whose objects are gone. They never name another run: a copy of the envelope that is still in the engine is a foreign run (design §5, §6).
struct Departed: Sendable {
  private struct Entry: Sendable {
    /// Of the run that it named.
    var identity: String
    var at: Timestamp
    /// It left the window: not even the same run comes back.
    var isOver: Bool
  }

  private var entries: [String: Entry] = [:]
  /// Beyond that many the oldest are forgotten.
  static let limit = 10_000

  var count: Int { entries.count }

  mutating func insert(_ uid: String, identity: String, isOver: Bool, now: Timestamp) {
    entries[uid] = Entry(identity: identity, at: now, isOver: isOver || entries[uid]?.isOver ?? false)
    // By an eighth at once, so that not every further one has to sort.
    if entries.count > Self.limit + Self.limit / 8 { prune(to: Self.limit) }
  }

  /// Whether a run can be the one that the uid names.
  func admits(_ uid: String, identity: String) -> Bool { entries[uid].map { $0.identity == identity } ?? true }

  /// Whether exactly this run had the uid before it went.
  func named(_ uid: String, identity: String) -> Bool { entries[uid]?.identity == identity }

  /// Whether the uid left the window for good.
  func isOver(_ uid: String) -> Bool { entries[uid]?.isOver ?? false }

  mutating func prune(before: Timestamp) {
    entries = entries.filter { $0.value.at >= before }
    prune(to: Self.limit)
  }

  private mutating func prune(to limit: Int) {
    guard entries.count > limit else { return }
    let oldest = entries.sorted { $0.value.at == $1.value.at ? $0.key < $1.key : $0.value.at < $1.value.at }
    for (uid, _) in oldest.prefix(entries.count - limit) { entries[uid] = nil }
  }
}
