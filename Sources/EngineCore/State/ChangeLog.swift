/// Which object changed last at which sequence number. Every object has one live entry; older ones are passed over and removed in time.
struct ChangeLog: Sendable {
  struct Entry: Sendable {
    var seq: Int64
    var id: String
  }

  private(set) var entries: [Entry] = []
  private var live: [String: Int64] = [:]

  var latest: Int64 { entries.last?.seq ?? 0 }

  mutating func record(_ id: String, seq: Int64) {
    // A journal holds the lines of one turn in the order of the objects' first change, not of their last.
    var end = entries.count
    while end > 0, entries[end - 1].seq > seq { end -= 1 }
    entries.insert(Entry(seq: seq, id: id), at: end)
    live[id] = seq
    if entries.count > 1024, entries.count > live.count * 2 { entries.removeAll { live[$0.id] != $0.seq } }
  }

  mutating func remove(_ id: String) { live[id] = nil }

  /// Live entries above `seq`, in ascending order.
  func after(_ seq: Int64) -> some Sequence<Entry> {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].seq <= seq { low = middle + 1 } else { high = middle }
    }
    return entries[low...].lazy.filter { live[$0.id] == $0.seq }
  }
}
