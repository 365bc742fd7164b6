internal import JSON
internal import OrderedCollections

extension Library {
  static let lists: [CELFunction] = [
    .unary("lists.range", .int, .list(.int), cost: .count) { value throws(CELError) in
      let count = int(value)
      guard count <= maximumElements else { throw CELError("the list is longer than allowed") }
      return .list((0..<max(0, count)).map { .int($0) })
    },
    .unary("flatten", member: true, .list(.list(A)), .list(A), cost: .traverse) { value throws(CELError) in try flatten(value, 1) },
    .unary("flatten", member: true, .list(.dyn), .list(.dyn), cost: .traverse) { value throws(CELError) in try flatten(value, 1) },
    .binary("flatten", member: true, .list(.dyn), .int, .list(.dyn), cost: .traverse) { value, depth throws(CELError) in
      guard int(depth) >= 0 else { throw CELError("level must be non-negative") }
      return try flatten(value, int(depth))
    },
    .unary("distinct", member: true, .list(A), .list(A), cost: .square) { value throws(CELError) in .list(distinct(value.elements ?? []))
    },
    .unary("reverse", member: true, .list(A), .list(A), cost: .traverse) { value throws(CELError) in
      .list((value.elements ?? []).reversed())
    },
    .many("slice", member: true, [.list(A), .int, .int], .list(A), cost: .traverse) { values throws(CELError) in
      let elements = values[0].elements ?? []
      let start = int(values[1])
      let end = int(values[2])
      guard start >= 0, end >= 0 else { throw CELError("cannot slice(\(start), \(end)), negative indexes not supported") }
      guard start <= end else { throw CELError("cannot slice(\(start), \(end)), start index must be less than or equal to end index") }
      guard end <= elements.count else { throw CELError("cannot slice(\(start), \(end)), list is length \(elements.count)") }
      return .list(Array(elements[Int(start)..<Int(end)]))
    },
    .unary("sort", member: true, .list(A), .list(A), cost: .traverse) { value throws(CELError) in
      let elements = value.elements ?? []
      return .list(try sortedOrder(elements, "sort").map { elements[$0] })
    },
    .unary("isSorted", member: true, .list(A), .bool, cost: .traverse) { value throws(CELError) in
      let elements = value.elements ?? []
      for (a, b) in zip(elements, elements.dropFirst()) {
        if let order = try compare(a, b, "isSorted"), order > 0 { return .bool(false) }
      }
      return .bool(true)
    },
    .unary("sum", member: true, .list(A), A, cost: .traverse) { value throws(CELError) in
      let elements = value.elements ?? []
      guard var total = elements.first else { return .int(0) }
      for element in elements.dropFirst() { total = try Arithmetic.add(total, element) }
      return total
    },
    .unary("min", member: true, .list(A), A, cost: .traverse) { value throws(CELError) in try extreme(value, "min", -1) },
    .unary("max", member: true, .list(A), A, cost: .traverse) { value throws(CELError) in try extreme(value, "max", 1) },
    .binary("indexOf", member: true, .list(A), A, .int, cost: .traverse) { value, element throws(CELError) in
      .int(Int64((value.elements ?? []).firstIndex { isEqual($0, element) } ?? -1))
    },
    .binary("lastIndexOf", member: true, .list(A), A, .int, cost: .traverse) { value, element throws(CELError) in
      .int(Int64((value.elements ?? []).lastIndex { isEqual($0, element) } ?? -1))
    },
  ]

  static let sets: [CELFunction] = [
    .binary("sets.contains", .list(A), .list(A), .bool, cost: .product) { a, b throws(CELError) in .bool(contains(a, b)) },
    .binary("sets.equivalent", .list(A), .list(A), .bool, cost: .product) { a, b throws(CELError) in .bool(contains(a, b) && contains(b, a))
    },
    .binary("sets.intersects", .list(A), .list(A), .bool, cost: .product) { a, b throws(CELError) in
      let others = b.elements ?? []
      return .bool((a.elements ?? []).contains { element in others.contains { isEqual(element, $0) } })
    },
  ]

  private static func contains(_ list: CELValue, _ part: CELValue) -> Bool {
    let elements = list.elements ?? []
    return (part.elements ?? []).allSatisfy { element in elements.contains { isEqual(element, $0) } }
  }

  private static func flatten(_ value: CELValue, _ depth: Int64) throws(CELError) -> CELValue {
    var out: [CELValue] = []
    func add(_ value: CELValue, _ depth: Int64) throws(CELError) {
      for element in value.elements ?? [] {
        if depth > 0, element.isList { try add(element, depth - 1) } else { out.append(element) }
        guard out.count <= maximumElements else { throw CELError("the list is longer than allowed") }
      }
    }
    try add(value, depth)
    return .list(out)
  }

  /// Scalars are found by hashing; what cannot be hashed is compared with all others that cannot.
  private static func distinct(_ elements: [CELValue]) -> [CELValue] {
    var keys: Set<CELKey> = []
    var others: [CELValue] = []
    return elements.filter { element in
      if let key = CELKey(lookup: element) { return keys.insert(key).inserted }
      guard !others.contains(where: { isEqual($0, element) }) else { return false }
      others.append(element)
      return true
    }
  }

  private static func extreme(_ value: CELValue, _ name: String, _ sign: Int) throws(CELError) -> CELValue {
    let elements = value.elements ?? []
    guard var best = elements.first else { throw CELError("\(name) called on empty list") }
    for element in elements.dropFirst() {
      if let order = try compare(element, best, name), order == sign { best = element }
    }
    return best
  }
}
