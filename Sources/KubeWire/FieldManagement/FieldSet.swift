/// A set of paths, kept as a trie. A path and the paths below it are members independently of each other.
package struct FieldSet: Sendable, Hashable {
  package struct Node: Sendable, Hashable {
    /// The path to here is in the set.
    var isMember = false
    var children = FieldSet()
  }

  /// No node is without a member at or below it; so equal sets are equal tries.
  private(set) var nodes: [PathElement: Node] = [:]

  package init() {}

  package init(_ paths: [[PathElement]]) { for path in paths { insert(path) } }

  package var isEmpty: Bool { nodes.isEmpty }

  /// How many paths there are.
  package var count: Int { nodes.values.reduce(0) { $0 + ($1.isMember ? 1 : 0) + $1.children.count } }

  /// The steps that go on from here, in their order.
  var elements: [PathElement] { nodes.keys.sorted() }

  subscript(_ element: PathElement) -> Node {
    get { nodes[element] ?? Node() }
    set { nodes[element] = newValue.isMember || !newValue.children.isEmpty ? newValue : nil }
  }

  package func contains(_ path: [PathElement]) -> Bool { contains(path[...]) }

  private func contains(_ path: ArraySlice<PathElement>) -> Bool {
    guard let first = path.first, let node = nodes[first] else { return false }
    return path.count == 1 ? node.isMember : node.children.contains(path.dropFirst())
  }

  /// The empty path is no member of any set.
  package mutating func insert(_ path: [PathElement]) { insert(path[...]) }

  private mutating func insert(_ path: ArraySlice<PathElement>) {
    guard let first = path.first else { return }
    // In place: through the subscript above each insertion would copy all that is beside it.
    if path.count == 1 {
      nodes[first, default: Node()].isMember = true
    } else {
      nodes[first, default: Node()].children.insert(path.dropFirst())
    }
  }

  /// All paths, in the order in which Kubernetes lists conflicts: at each place first those that end there, then those that go on.
  package var paths: [[PathElement]] {
    var found: [[PathElement]] = []
    collect(below: [], into: &found)
    return found
  }

  private func collect(below path: [PathElement], into found: inout [[PathElement]]) {
    let elements = elements
    for element in elements where self[element].isMember { found.append(path + [element]) }
    for element in elements { self[element].children.collect(below: path + [element], into: &found) }
  }
}

/// Set algebra, path by path.
extension FieldSet {
  package func union(_ other: FieldSet) -> FieldSet {
    var result = self
    for (element, node) in other.nodes {
      let mine = self[element]
      result[element] = Node(isMember: mine.isMember || node.isMember, children: mine.children.union(node.children))
    }
    return result
  }

  package func intersection(_ other: FieldSet) -> FieldSet {
    var result = FieldSet()
    for (element, node) in nodes {
      guard let theirs = other.nodes[element] else { continue }
      result[element] = Node(isMember: node.isMember && theirs.isMember, children: node.children.intersection(theirs.children))
    }
    return result
  }

  package func subtracting(_ other: FieldSet) -> FieldSet {
    var result = self
    for (element, theirs) in other.nodes {
      guard let mine = nodes[element] else { continue }
      result[element] = Node(isMember: mine.isMember && !theirs.isMember, children: mine.children.subtracting(theirs.children))
    }
    return result
  }

  /// Without the members of the other set and without all that is below them.
  package func subtractingTrees(_ other: FieldSet) -> FieldSet {
    var result = self
    for (element, theirs) in other.nodes {
      guard let mine = nodes[element] else { continue }
      result[element] =
        theirs.isMember ? Node() : Node(isMember: mine.isMember, children: mine.children.subtractingTrees(theirs.children))
    }
    return result
  }
}

extension [PathElement] {
  /// As messages show it: `.spec.steps[name="a"].image`.
  package var text: String { map(\.text).joined() }
}
