package import JSON

/// All objects of this process under one version counter, with a window of recent events per kind.
///
/// A value: it holds no lock and reads no clock. ``SharedStore`` drives it.
package struct ObjectStore: Sendable {
  package struct Settings: Sendable {
    /// `group/version` of our kinds.
    package var apiVersion: String
    /// Events that a kind's window keeps at most, once they are older than ``minimumAge``.
    package var windowCount: Int
    /// No younger event is evicted for the count (kubernetes-wire Z8).
    package var minimumAge: Duration
    /// Memory that the events of Workflows take at most, as ``StoredObject/estimatedMemory`` has it, whatever their age; 128 MiB unless told. The windows of
    /// the other kinds have an eighth of it each: their objects are few and change seldom. All together is well below what a small pod may have, beside the
    /// objects themselves.
    package var windowBytes: Int

    package init(
      apiVersion: String, windowCount: Int = 10_000, minimumAge: Duration = .seconds(600), windowBytes: Int = 128 << 20
    ) {
      self.apiVersion = apiVersion
      self.windowCount = windowCount
      self.minimumAge = minimumAge
      self.windowBytes = windowBytes
    }
  }

  /// Which watchers a commit concerns: namespaces by kind.
  typealias Touched = [Resource: Set<String>]

  let settings: Settings
  private(set) var versions: VersionCounter
  private var kinds: [KindStore]

  /// - Parameter epoch: 0 to 999, another one than the life before had; random where nothing keeps it.
  package init(settings: Settings, epoch: UInt64, now: Timestamp) {
    self.settings = settings
    let versions = VersionCounter(epoch: epoch, now: now)
    self.versions = versions
    kinds = Resource.allCases.map { resource in
      KindStore(
        window: EventWindow(
          floor: versions.current, countLimit: settings.windowCount, minimumAge: settings.minimumAge,
          byteLimit: resource == .workflows ? settings.windowBytes : settings.windowBytes / 8))
    }
  }

  package var currentVersion: UInt64 { versions.current }

  subscript(_ resource: Resource) -> KindStore { kinds[Self.index(resource)] }

  package func object(_ resource: Resource, namespace: String, name: String) -> StoredObject? {
    kinds[Self.index(resource)].object(StoredObject.key(namespace: namespace, name: name))
  }

  /// Applies a batch; readers see all of it or nothing.
  ///
  /// - Parameter silently: for the first load of a binding, which nobody can have listed yet: no events are made.
  /// - Returns: the namespaces in which something really changed, by kind.
  @discardableResult
  mutating func commit(_ changes: [ObjectChange], silently: Bool = false, now: Timestamp) -> Touched {
    var touched: Touched = [:]
    for change in changes {
      switch change {
      case .upsert(let draft):
        let kind = Self.index(draft.resource)
        let old = kinds[kind].object(StoredObject.key(namespace: draft.namespace, name: draft.name))
        if let old, old.draft == draft { continue }
        if let old, old.draft.uid != draft.uid { remove(old, silently: silently, now: now) }
        let object = StoredObject(draft, version: versions.next(now: now), apiVersion: settings.apiVersion)
        let previous = kinds[kind].put(object)
        record(previous == nil ? .added : .modified, object, previous: previous, silently: silently)
        touched[draft.resource, default: []].insert(draft.namespace)
      case .remove(let resource, let namespace, let name):
        guard let old = object(resource, namespace: namespace, name: name) else { continue }
        remove(old, silently: silently, now: now)
        touched[resource, default: []].insert(namespace)
      }
    }
    for resource in touched.keys { kinds[Self.index(resource)].window.evict(now: now) }
    return touched
  }

  private mutating func remove(_ old: StoredObject, silently: Bool, now: Timestamp) {
    _ = kinds[Self.index(old.draft.resource)].take(old.key)
    let tombstone = StoredObject(old.draft, version: versions.next(now: now), apiVersion: settings.apiVersion)
    record(.deleted, tombstone, previous: old, silently: silently)
  }

  private mutating func record(_ kind: ObjectEvent.Kind, _ object: StoredObject, previous: StoredObject?, silently: Bool) {
    let at = Self.index(object.draft.resource)
    if silently {
      kinds[at].noteSilentChange(namespace: object.draft.namespace, version: object.version)
    } else {
      kinds[at].window.append(ObjectEvent(kind, object, previous: previous, apiVersion: settings.apiVersion))
    }
  }

  private static func index(_ resource: Resource) -> Int {
    switch resource {
    case .workflows: 0
    case .workflowtemplates: 1
    case .workflowbackends: 2
    }
  }
}
