internal import AdapterKit
internal import CEL
internal import JSON
internal import Synchronization

/// What scopes resolved to, for a while.
final class ScopeCache: Sendable {
  private let entries = Mutex<[AdapterScope: (value: CELValue, until: Timestamp)]>([:])

  func value(_ scope: AdapterScope, now: Timestamp) -> CELValue? {
    entries.withLock { entries in entries[scope].flatMap { now < $0.until ? $0.value : nil } }
  }

  func keep(_ value: CELValue, _ scope: AdapterScope, until: Timestamp) {
    entries.withLock { entries in
      if entries.count > 256 { entries.removeAll() }
      entries[scope] = (value, until)
    }
  }
}

/// Marks that were looked for: what they said of one attempt of a run does not change any more.
final class MarkCache: Sendable {
  struct Key: Hashable {
    var uid: String
    var identity: String
    var attempt: Attempt
  }

  private let entries = Mutex<[Key: JSONValue]>([:])

  subscript(_ key: Key) -> JSONValue? {
    get { entries.withLock { $0[key] } }
    set {
      entries.withLock { entries in
        if entries.count > 50_000 { entries.removeAll() }
        entries[key] = newValue
      }
    }
  }
}

/// Templates' details by the template's name, good while their cache key stays the same.
final class DetailsCache: Sendable {
  private let entries = Mutex<[String: (key: JSONValue, body: JSONValue)]>([:])

  func body(_ name: String, key: JSONValue) -> JSONValue? {
    // Not by a conditional with nil: JSONValue takes that for its null.
    entries.withLock { entries in
      guard let entry = entries[name], entry.key == key else { return .none }
      return .some(entry.body)
    }
  }

  func keep(_ body: JSONValue, _ name: String, key: JSONValue) {
    entries.withLock { entries in
      if entries.count > 20_000 { entries.removeAll() }
      entries[name] = (key, body)
    }
  }
}
