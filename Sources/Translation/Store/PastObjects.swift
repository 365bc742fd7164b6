/// The objects of one kind as they were at a version inside the window, in order, without a retained snapshot: today's objects, with the events
/// since then undone.
struct PastObjects {
  private let objects: ArraySlice<StoredObject>
  private var at: Int
  /// What has changed since, ascending by key: the state then (nil: there was none) and whether there is one now.
  private let undone: [(key: String, then: StoredObject?, now: Bool)]
  private var undoneAt = 0

  /// - Parameter selection: whose namespace, and name, narrow them down; the other selectors are left to the caller.
  init(_ kind: KindStore, _ selection: ObjectSelection, at version: UInt64) {
    objects = kind.objects[kind.range(selection)]
    at = objects.startIndex
    let exactKey = selection.exactKey
    var first: [String: StoredObject?] = [:]
    for event in kind.window.events(from: kind.window.sequence(after: version))
    where selection.covers(namespace: event.object.draft.namespace) && exactKey.map({ $0 == event.object.key }) ?? true
      && first[event.object.key] == nil
    {
      first.updateValue(event.previous, forKey: event.object.key)
    }
    undone = first.sorted { $0.key < $1.key }.map { ($0.key, $0.value, kind.object($0.key) != nil) }
  }

  /// Leaves out what lies below a key.
  mutating func skip(to key: String) {
    var low = at
    var high = objects.endIndex
    while low < high {
      let middle = (low + high) / 2
      if objects[middle].key < key { low = middle + 1 } else { high = middle }
    }
    at = low
    while undoneAt < undone.count, undone[undoneAt].key < key { undoneAt += 1 }
  }

  mutating func next() -> StoredObject? {
    while true {
      let object = at < objects.endIndex ? objects[at] : nil
      guard undoneAt < undone.count, object.map({ undone[undoneAt].key <= $0.key }) ?? true else {
        if object != nil { at += 1 }
        return object
      }
      let past = undone[undoneAt]
      undoneAt += 1
      if past.key == object?.key { at += 1 }
      if let then = past.then { return then }
    }
  }

  /// How many ``next()`` would still give.
  var remaining: Int {
    undone[undoneAt...].reduce(objects.endIndex - at) { $0 + ($1.then == nil ? 0 : 1) - ($1.now ? 1 : 0) }
  }

  /// All that is left; shares the storage where nothing was undone.
  mutating func rest() -> [StoredObject] {
    if undoneAt == undone.count { return Array(objects[at...]) }
    var rest: [StoredObject] = []
    rest.reserveCapacity(remaining)
    while let object = next() { rest.append(object) }
    return rest
  }
}
