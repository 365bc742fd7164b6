internal import JSON
internal import OrderedCollections

extension CELValue {
  /// Elements, entries and bytes of text, those of inner values included, at most `limit`. An expression can name one value many times inside another,
  /// so this can be far more than the memory it takes: who walks over a whole value pays for this first.
  func deepSize(limit: Int) -> Int {
    var left = limit
    count(&left)
    return limit - max(left, 0)
  }

  private func count(_ left: inout Int) {
    switch self {
    case .string(let text): left -= text.utf8.count
    case .bytes(let bytes): left -= bytes.count
    case .json(let view): left -= view.kind == .string ? view.rawBytes.count : view.count == 0 ? 0 : view.rawBytes.count / 2
    case .list(let elements):
      left -= elements.count
      for element in elements {
        if left <= 0 { return }
        element.count(&left)
      }
    case .map(let map):
      left -= map.entries.count
      for (key, value) in map.entries {
        if left <= 0 { return }
        if case .string(let name) = key { left -= name.utf8.count }
        value.count(&left)
      }
    case .optional(let inner): inner?.count(&left)
    default: return
    }
  }
}

extension Frame {
  /// A tenth of a value's whole size.
  mutating func charge(deep value: CELValue) throws(CELError) {
    switch value {
    case .string, .bytes: try charge(traversing: value.quickSize)
    case .list, .map, .json, .optional:
      // What is over the limit is not counted to its end.
      let left = limit > cost ? limit - cost : 0
      try charge(traversing: value.deepSize(limit: left < UInt64(Int.max) / 10 - 1 ? Int(left) * 10 + 10 : .max - 9))
    default: return
    }
  }
}
