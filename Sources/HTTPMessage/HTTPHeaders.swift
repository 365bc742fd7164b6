/// Header lines in order. Names compare without case; repeated lines stay apart (kubernetes-wire F4).
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
  package var lines: [(name: String, value: String)]

  package init(_ lines: [(name: String, value: String)] = []) { self.lines = lines }
  package init(dictionaryLiteral elements: (String, String)...) { lines = elements.map { (name: $0.0, value: $0.1) } }

  /// The first line of that name. Setting replaces every line of the name; nil removes them.
  package subscript(_ name: String) -> String? {
    get { lines.first { Self.same($0.name, name) }?.value }
    set {
      lines.removeAll { Self.same($0.name, name) }
      if let newValue { lines.append((name, newValue)) }
    }
  }

  /// The values of every line of that name.
  package func all(_ name: String) -> [String] { lines.lazy.filter { Self.same($0.name, name) }.map(\.value) }

  package mutating func add(_ name: String, _ value: String) { lines.append((name, value)) }

  static func same(_ a: String, _ b: String) -> Bool {
    a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { $0 == $1 || ($0 | 0x20 == $1 | 0x20 && ($0 | 0x20) &- 0x61 < 26) }
  }
}
