internal import JSON

/// Jobs or schedules: by id, in the order of their ids (which is the order of creation), and by their last change; with the
/// tombstones of those that were deleted.
struct ObjectStore<Object: Sendable>: Sendable {
  private(set) var objects: [String: Object] = [:]
  private var order: [String] = []
  private(set) var changes = ChangeLog()
  /// Deleted objects, oldest first: id and sequence number of the deletion.
  private(set) var tombstones: [Tombstone] = []
  private var buried: Set<String> = []
  /// Deletions at or below this number may have been forgotten.
  private(set) var coveredFrom: Int64

  struct Tombstone: Hashable, Sendable {
    var id: String
    var seq: Int64
    var deletedAt: Timestamp
  }

  init(coveredFrom: Int64) { self.coveredFrom = coveredFrom }

  var count: Int { objects.count }

  subscript(id: String) -> Object? { objects[id] }

  mutating func put(_ object: Object, id: String, seq: Int64) {
    if objects.updateValue(object, forKey: id) == nil {
      if let last = order.last, last >= id { order.insert(id, at: position(after: id)) } else { order.append(id) }
    }
    changes.record(id, seq: seq)
  }

  /// Removes an object; with `tombstone` its deletion can be listed afterwards.
  mutating func remove(_ id: String, tombstone: Tombstone?) {
    objects[id] = nil
    if order.count > 1024, order.count > objects.count * 2 { order.removeAll { objects[$0] == nil } }
    if let tombstone { bury(tombstone) } else { changes.remove(id) }
  }

  mutating func bury(_ tombstone: Tombstone) {
    tombstones.append(tombstone)
    buried.insert(tombstone.id)
    changes.record(tombstone.id, seq: tombstone.seq)
  }

  /// Forgets tombstones beyond `limit` or older than `before`. - Returns: how many were forgotten.
  mutating func forgetTombstones(limit: Int, before: Timestamp) -> Int {
    var count = max(0, tombstones.count - limit)
    while count < tombstones.count, tombstones[count].deletedAt < before { count += 1 }
    for tombstone in tombstones.prefix(count) {
      changes.remove(tombstone.id)
      buried.remove(tombstone.id)
      coveredFrom = max(coveredFrom, tombstone.seq)
    }
    tombstones.removeFirst(count)
    return count
  }

  mutating func cover(from seq: Int64) { coveredFrom = max(coveredFrom, seq) }

  func isBuried(_ id: String) -> Bool { buried.contains(id) }

  /// Ids above `id` (all for nil), ascending.
  func ids(after id: String?) -> some Sequence<String> {
    order[(id.map { position(after: $0) } ?? 0)...].lazy.filter { objects[$0] != nil }
  }

  /// Ids below `id` (all for nil), descending.
  func ids(before id: String?) -> some Sequence<String> {
    var end = order.count
    if let id {
      end = position(after: id)
      if end > 0, order[end - 1] == id { end -= 1 }
    }
    return order[..<end].reversed().lazy.filter { objects[$0] != nil }
  }

  private func position(after id: String) -> Int {
    var low = 0
    var high = order.count
    while low < high {
      let middle = (low + high) / 2
      if order[middle] <= id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
