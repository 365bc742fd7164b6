/// What a watcher is told.
package struct WatchEvent: Sendable {
  package enum Kind: String, Sendable { case added = "ADDED", modified = "MODIFIED", deleted = "DELETED" }

  package var kind: Kind
  /// For `.deleted` the last state, with the version of the deletion.
  package var object: StoredObject

  package init(_ kind: Kind, _ object: StoredObject) {
    self.kind = kind
    self.object = object
  }
}

/// The next thing to do for a watch.
package enum WatchStep: Sendable {
  /// At least one. The array is the watcher's own; the objects are shared.
  case events([WatchEvent])
  /// All that was there at the start has been told; once, and only with `sendInitialEvents`.
  case initialEventsEnd(version: UInt64)
  /// Nothing until the waker is called.
  case wait
  /// The watcher was too slow or asked for too old a version: it has to list again (410).
  case expired(version: UInt64, requested: UInt64)
  case ended
}
