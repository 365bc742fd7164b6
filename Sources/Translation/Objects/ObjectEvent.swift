internal import Synchronization

/// One change of one object, as the event window keeps it: shared by every watcher, encoded once.
package final class ObjectEvent: Sendable {
  package enum Kind: String, Sendable { case added = "ADDED", modified = "MODIFIED", deleted = "DELETED" }

  package let kind: Kind
  /// The state after the change; for `.deleted` the last state with the deletion's own version.
  package let object: StoredObject
  /// The state before it; nil for `.added`.
  package let previous: StoredObject?

  private let apiVersion: String
  private let departed = Mutex<StoredObject?>(nil)

  init(_ kind: Kind, _ object: StoredObject, previous: StoredObject?, apiVersion: String) {
    self.kind = kind
    self.object = object
    self.previous = previous
    self.apiVersion = apiVersion
  }

  package var version: UInt64 { object.version }

  /// What a watcher sees whose selector the object has left: the old state with the new version (kubernetes-wire W7). Encoded at most once.
  package var leaving: StoredObject {
    guard let previous, kind == .modified else { return object }
    return departed.withLock { kept in
      if let kept { return kept }
      let object = StoredObject(previous.draft, version: version, apiVersion: apiVersion)
      kept = object
      return object
    }
  }
}
