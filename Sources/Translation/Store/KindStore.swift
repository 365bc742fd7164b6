internal import JSON

/// The objects of one kind, sorted, with their event window.
struct KindStore: Sendable {
  /// Ascending by key.
  private(set) var objects: [StoredObject] = []
  var window: EventWindow
  /// Per namespace the version of the last change that made no event: what was listed before it cannot be continued there.
  private var silentChanges: [String: UInt64] = [:]
  private var lastSilentChange: UInt64 = 0

  init(window: EventWindow) { self.window = window }

  /// The lowest version from which everything that happened in a namespace (nil: in all) can be told.
  func floor(namespace: String?) -> UInt64 {
    max(window.floor, silentFloor(namespace: namespace))
  }

  /// The version of the last change in a namespace (nil: in all) that made no event.
  func silentFloor(namespace: String?) -> UInt64 { namespace.map { silentChanges[$0] ?? 0 } ?? lastSilentChange }

  func object(_ key: String) -> StoredObject? {
    let at = index(of: key)
    return at < objects.count && objects[at].key == key ? objects[at] : nil
  }

  /// The index of the first object at or above a key.
  func index(of key: String) -> Int {
    var low = 0
    var high = objects.count
    while low < high {
      let middle = (low + high) / 2
      if objects[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The indices of the objects of a namespace; nil for all. `0` is the byte after `/`.
  func range(namespace: String?) -> Range<Int> {
    guard let namespace, !namespace.isEmpty else { return 0..<objects.count }
    return index(of: namespace + "/")..<index(of: namespace + "0")
  }

  /// The indices of all objects that a selection can select: of one at most, where it asks for a name in a namespace.
  func range(_ selection: ObjectSelection) -> Range<Int> {
    guard let key = selection.exactKey else { return range(namespace: selection.namespace) }
    let at = index(of: key)
    return at..<(at < objects.count && objects[at].key == key ? at + 1 : at)
  }

  /// Puts an object in its place. - Returns: the one that was there.
  mutating func put(_ object: StoredObject) -> StoredObject? {
    let at = index(of: object.key)
    if at < objects.count, objects[at].key == object.key {
      let old = objects[at]
      objects[at] = object
      return old
    }
    objects.insert(object, at: at)
    return nil
  }

  mutating func take(_ key: String) -> StoredObject? {
    let at = index(of: key)
    guard at < objects.count, objects[at].key == key else { return nil }
    return objects.remove(at: at)
  }

  mutating func noteSilentChange(namespace: String, version: UInt64) {
    silentChanges[namespace] = version
    lastSilentChange = version
  }
}
