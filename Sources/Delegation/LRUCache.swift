/// A dictionary of bounded size that forgets what was used longest ago.
struct LRUCache<Key: Hashable, Value> {
  private struct Node {
    var key: Key
    var value: Value
    /// Towards the last used; -1 for none.
    var newer: Int
    var older: Int
  }

  private let capacity: Int
  private var nodes: [Node] = []
  private var places: [Key: Int] = [:]
  private var newest = -1
  private var oldest = -1

  /// - Parameter capacity: at least 1.
  init(capacity: Int) { self.capacity = max(1, capacity) }

  var count: Int { places.count }

  /// Counts as a use.
  mutating func value(for key: Key) -> Value? {
    guard let place = places[key] else { return nil }
    touch(place)
    return nodes[place].value
  }

  mutating func set(_ value: Value, for key: Key) {
    if let place = places[key] {
      nodes[place].value = value
      touch(place)
    } else if nodes.count < capacity {
      nodes.append(Node(key: key, value: value, newer: -1, older: -1))
      places[key] = nodes.count - 1
      link(nodes.count - 1)
    } else {
      let place = oldest
      unlink(place)
      places[nodes[place].key] = nil
      nodes[place] = Node(key: key, value: value, newer: -1, older: -1)
      places[key] = place
      link(place)
    }
  }

  private mutating func touch(_ place: Int) {
    guard place != newest else { return }
    unlink(place)
    link(place)
  }

  private mutating func unlink(_ place: Int) {
    let node = nodes[place]
    if node.newer >= 0 { nodes[node.newer].older = node.older } else { newest = node.older }
    if node.older >= 0 { nodes[node.older].newer = node.newer } else { oldest = node.newer }
  }

  private mutating func link(_ place: Int) {
    nodes[place].newer = -1
    nodes[place].older = newest
    if newest >= 0 { nodes[newest].newer = place } else { oldest = place }
    newest = place
  }
}
