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
    var order: [Key] = []
    var oldest = 0
  }

  private let cache = Mutex(Cache())
  private let capacity: Int

  /// - Parameter capacity: events; they matter only for as long as it takes to tell all watchers.
  init(capacity: Int = 512) { self.capacity = capacity }

  /// One line: the event, and the line feed that ends it (kubernetes-wire W1).
  func line(_ event: WatchEvent, _ encoder: ObjectEncoder) -> [UInt8] {
    var second: Int64 = 0
    if case .table = encoder.form { second = encoder.now.microseconds / 1_000_000 }
    let key = Key(object: ObjectIdentifier(event.object), kind: event.kind, form: encoder.form, second: second)
    if let known = cache.withLock({ $0.entries[key]?.bytes }) { return known }
    let bytes = Self.line(event.kind.rawValue, encoder.object(event.object))
    cache.withLock { cache in
      guard cache.entries[key] == nil else { return }
      cache.entries[key] = (event.object, bytes)
      if cache.order.count < capacity {
        cache.order.append(key)
      } else {
        cache.entries[cache.order[cache.oldest]] = nil
        cache.order[cache.oldest] = key
        cache.oldest = (cache.oldest + 1) % capacity
      }
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
