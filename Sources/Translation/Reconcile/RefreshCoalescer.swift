package import JSON

/// Lets many readers share one call: a reader is content with any result that began at or after the moment it names. A value without clock or task.
package struct RefreshCoalescer<Key: Hashable & Sendable>: Sendable {
  private struct Entry: Sendable {
    /// When the youngest result that succeeded began.
    var lastBegan = Timestamp(microseconds: .min)
    var isUnderWay = false
    /// Waiters with the moment at which a result must have begun at the earliest.
    var waiting: [Int: Timestamp] = [:]
  }

  private var entries: [Key: Entry] = [:]

  package init() {}

  /// - Parameter notBefore: the moment of the request, less the freshness that it is content with.
  package mutating func request(_ key: Key, waiter: Int, notBefore: Timestamp) -> RefreshDecision {
    if entries.count > 4096 { entries = entries.filter { $0.value.isUnderWay || $0.value.lastBegan >= notBefore - .seconds(60) } }
    if let entry = entries[key], entry.lastBegan >= notBefore { return .fresh }
    entries[key, default: Entry()].waiting[waiter] = notBefore
    guard !entries[key]!.isUnderWay else { return .wait }
    entries[key]!.isUnderWay = true
    return .start
  }

  /// The call that a reader began has ended.
  ///
  /// - Returns: the waiters to release, lowest first, and whether a new call has to begin for those that came too late for this one. After a
  ///   failure nobody is left waiting.
  package mutating func ended(_ key: Key, began: Timestamp, succeeded: Bool) -> (released: [Int], startAgain: Bool) {
    guard entries[key] != nil else { return ([], false) }
    entries[key]!.isUnderWay = false
    if !succeeded {
      let released = entries[key]!.waiting.keys.sorted()
      entries[key]!.waiting = [:]
      return (released, false)
    }
    let released = saw(key, began: began)
    let startAgain = !entries[key]!.waiting.isEmpty
    entries[key]!.isUnderWay = startAgain
    return (released, startAgain)
  }

  /// A result came by another way. - Returns: the waiters that it satisfies.
  package mutating func saw(_ key: Key, began: Timestamp) -> [Int] {
    guard entries[key] != nil else { return [] }
    entries[key]!.lastBegan = max(entries[key]!.lastBegan, began)
    let released = entries[key]!.waiting.filter { $0.value <= began }.keys.sorted()
    for waiter in released { entries[key]!.waiting[waiter] = nil }
    return released
  }

  /// What was read before a write says nothing about the time after it.
  package mutating func invalidate(_ key: Key) { entries[key]?.lastBegan = Timestamp(microseconds: .min) }

  package mutating func cancel(_ key: Key, waiter: Int) { entries[key]?.waiting[waiter] = nil }
}

/// What a reader has to do.
package enum RefreshDecision: Sendable, Hashable {
  /// A result that is young enough is there already.
  case fresh
  /// Wait to be released.
  case wait
  /// Begin a call, and wait to be released.
  case start
}
