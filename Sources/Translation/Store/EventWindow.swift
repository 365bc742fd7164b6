internal import JSON

/// The recent events of one kind, in the order of their versions. Bounded by count, but events younger than the minimum age stay; and by memory, whatever
/// their age: that bound comes first, for a process that is ended for its memory keeps no history at all. Who watches from before is told to list again.
struct EventWindow: Sendable {
  /// The version of the last event that was evicted: a watch can start at it, and at nothing below.
  private(set) var floor: UInt64
  /// The sequence number of the first event that is still here. Sequence numbers count events and never repeat.
  private(set) var firstSequence = 0
  private let countLimit: Int
  private let minimumAge: Duration
  private let byteLimit: Int
  /// What the objects of the window's events take, by estimate.
  private(set) var bytes = 0
  /// Of those that were evicted and are not dropped yet.
  private var evictedBytes = 0
  /// `events[head...]` are the window; what lies before is dropped in bulk.
  private var events: [ObjectEvent] = []
  private var head = 0

  init(floor: UInt64, countLimit: Int, minimumAge: Duration, byteLimit: Int) {
    self.floor = floor
    self.countLimit = countLimit
    self.minimumAge = minimumAge
    self.byteLimit = byteLimit
  }

  var count: Int { events.count - head }
  /// The sequence number that the next event will have.
  var endSequence: Int { firstSequence + count }

  subscript(sequence: Int) -> ObjectEvent { events[head + sequence - firstSequence] }

  mutating func append(_ event: ObjectEvent) {
    events.append(event)
    bytes += event.object.estimatedMemory
  }

  mutating func evict(now: Timestamp) {
    let youngest = now - minimumAge
    // The newest event stays, so that whoever keeps up need not list again.
    while count > 1, bytes > byteLimit || count > countLimit && VersionCounter.moment(of: events[head].version) < youngest {
      floor = events[head].version
      bytes -= events[head].object.estimatedMemory
      evictedBytes += events[head].object.estimatedMemory
      head += 1
      firstSequence += 1
    }
    if head > 1024 && head > events.count / 2 || evictedBytes > byteLimit / 8 {
      events.removeFirst(head)
      head = 0
      evictedBytes = 0
    }
  }

  /// The sequence number of the first event above a version.
  func sequence(after version: UInt64) -> Int {
    var low = head
    var high = events.count
    while low < high {
      let middle = (low + high) / 2
      if events[middle].version <= version { low = middle + 1 } else { high = middle }
    }
    return firstSequence + low - head
  }

  /// The events from a sequence number on.
  func events(from sequence: Int) -> ArraySlice<ObjectEvent> { events[(head + max(0, sequence - firstSequence))...] }
}
