/// The types that the operators take and give. What they do is in their nodes.
enum Operators {
  static let arithmetic: [String: [(CELType, CELType, CELType)]] = {
    let numbers: [(CELType, CELType, CELType)] = [(.int, .int, .int), (.uint, .uint, .uint), (.double, .double, .double)]
    return [
      "+": numbers + [
        (.string, .string, .string), (.bytes, .bytes, .bytes), (.list(.parameter("A")), .list(.parameter("A")), .list(.parameter("A"))),
        (.timestamp, .duration, .timestamp), (.duration, .timestamp, .timestamp), (.duration, .duration, .duration),
      ],
      "-": numbers + [(.timestamp, .timestamp, .duration), (.timestamp, .duration, .timestamp), (.duration, .duration, .duration)],
      "*": numbers,
      "/": numbers,
      "%": [(.int, .int, .int), (.uint, .uint, .uint)],
    ]
  }()

  static let comparison: [(CELType, CELType, CELType)] = {
    let numbers: [CELType] = [.int, .uint, .double]
    var all: [(CELType, CELType, CELType)] = [CELType.bool, .string, .bytes, .timestamp, .duration].map { ($0, $0, .bool) }
    for a in numbers { for b in numbers { all.append((a, b, .bool)) } }
    return all
  }()

  static let membership: [(CELType, CELType, CELType)] = [
    (.parameter("A"), .list(.parameter("A")), .bool), (.parameter("A"), .map(.parameter("A"), .parameter("B")), .bool),
  ]

  static let equality: [(CELType, CELType, CELType)] = [(.parameter("A"), .parameter("A"), .bool)]

  static let index: [(CELType, CELType, CELType)] = [
    (.list(.parameter("A")), .int, .parameter("A")), (.map(.parameter("A"), .parameter("B")), .parameter("A"), .parameter("B")),
    (.optional(.list(.parameter("A"))), .int, .optional(.parameter("A"))),
    (.optional(.map(.parameter("A"), .parameter("B"))), .parameter("A"), .optional(.parameter("B"))),
  ]

  /// The name in messages about overloads, as the reference implementations have it.
  static func name(_ symbol: String) -> String { symbol == "in" ? "@in" : "_\(symbol)_" }
}
