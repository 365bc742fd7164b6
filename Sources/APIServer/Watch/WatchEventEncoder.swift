internal import JSON
internal import KubeWire
internal import Synchronization
internal import Translation

/// Encodes each event once per form and shares the bytes among all watchers that are told of it at about the same time.
final class WatchEventEncoder: Sendable {
  private struct Key: Hashable {
    let object: ObjectIdentifier
    let kind: WatchEvent.Kind
    let form: ResponseForm
    /// Tables show ages to the second, so they live no longer; 0 for the other forms.
    let second: Int64
  }

  private struct Cache: Sendable {
    /// The object is kept with the bytes, so that its identity cannot be given to another one.
    var entries: [Key: (object: StoredObject, bytes: [UInt8])] = [:]
    /// From the oldest on, from `head`; what lies before is dropped in bulk.
    var order: [Key] = []
    var head = 0
    var bytes = 0

    mutating func insert(_ key: Key, _ object: StoredObject, _ line: [UInt8]) {
      order.append(key)
      entries[key] = (object, line)
      bytes += Self.size(object, line)
    }

    mutating func evict(count: Int, bytes limit: Int) {
      while let key = head < order.count ? order[head] : nil, entries.count > count || bytes > limit {
        head += 1
        if let old = entries.removeValue(forKey: key) { bytes -= Self.size(old.object, old.bytes) }
      }
      if head > 256, head > order.count / 2 {
        order.removeFirst(head)
        head = 0
      }
    }

    /// The object, too: it may be in no window any more.
    private static func size(_ object: StoredObject, _ line: [UInt8]) -> Int { line.count + object.estimatedMemory }
  }

  private let cache = Mutex(Cache())
  private let capacity: Int
  private let byteCapacity: Int

  /// - Parameters:
  ///   - capacity: events; they matter only for as long as it takes to tell all watchers.
  ///   - byteCapacity: memory that they take at most, by estimate.
  init(capacity: Int = 512, byteCapacity: Int = 16 << 20) {
    self.capacity = capacity
    self.byteCapacity = byteCapacity
  }

  /// Of what is kept, by estimate.
  var bytes: Int { cache.withLock { $0.bytes } }

  /// One line: the event, and the line feed that ends it (kubernetes-wire W1).
  func line(_ event: WatchEvent, _ encoder: ObjectEncoder) -> [UInt8] {
    var second: Int64 = 0
    if case .table = encoder.form { second = encoder.now.microseconds / 1_000_000 }
    let key = Key(object: ObjectIdentifier(event.object), kind: event.kind, form: encoder.form, second: second)
    if let known = cache.withLock({ $0.entries[key]?.bytes }) { return known }
    let bytes = Self.line(event.kind.rawValue, encoder.object(event.object))
    cache.withLock { cache in
      guard cache.entries[key] == nil else { return }
      cache.insert(key, event.object, bytes)
      cache.evict(count: capacity, bytes: byteCapacity)
    }
    return bytes
  }

  static func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(object.count + 40)
    bytes += "{\"type\":\"\(type)\",\"object\":".utf8
    bytes += object
    bytes += [UInt8(ascii: "}"), 0x0A]
    return bytes
  }
}
