internal import JSON
internal import OrderedCollections

/// What tells two states of one object apart, by path.
struct Comparison {
  private(set) var added = FieldSet()
  private(set) var modified = FieldSet()
  private(set) var removed = FieldSet()

  var isEmpty: Bool { added.isEmpty && modified.isEmpty && removed.isEmpty }

  init(from old: JSONValue, to new: JSONValue, _ schema: Schema) {
    var path: [PathElement] = []
    compare(old, new, schema, &path)
  }

  /// Without all that is at or below these paths.
  func without(_ trees: FieldSet) -> Comparison {
    var result = self
    result.added = added.subtractingTrees(trees)
    result.modified = modified.subtractingTrees(trees)
    result.removed = removed.subtractingTrees(trees)
    return result
  }

  /// At least one of the two is there.
  private mutating func compare(_ old: JSONValue?, _ new: JSONValue?, _ schema: Schema, _ path: inout [PathElement]) {
    // Most of two states is equal.
    if let old, let new, old == new { return }
    let shapes = [old, new].compactMap { $0.map(schema.shape(of:)) }
    var isLeaf = visit(old, new, shapes[shapes.count - 1], &path)
    // What was an object and is a text now, or the other way round: the members on the one side, the whole on the other.
    if shapes.count == 2, !shapes[0].isSameKind(as: shapes[1]) { isLeaf = visit(old, new, shapes[0], &path) && isLeaf }
    guard !isLeaf else { return }
    if old == nil { added.insert(path) } else if new == nil { removed.insert(path) }
  }

  /// - Returns: the place was seen as a whole.
  private mutating func visit(_ old: JSONValue?, _ new: JSONValue?, _ shape: Shape, _ path: inout [PathElement]) -> Bool {
    switch shape {
    case .map:
      let (before, after) = (old?.object ?? [:], new?.object ?? [:])
      // Both empty: one may be null or absent and the other not.
      if before.isEmpty, after.isEmpty { break }
      for (name, member) in before { step(.field(name), member, after[name], shape.member(name), &path) }
      for (name, member) in after where before[name] == nil { step(.field(name), nil, member, shape.member(name), &path) }
      return false
    case .list(let type, let kind):
      let (before, after) = (NamedElements(old, kind), NamedElements(new, kind))
      if before.list.isEmpty, after.list.isEmpty { break }
      for element in Set(before.values.keys).union(after.values.keys) {
        compare(before.values[element] ?? [], after.values[element] ?? [], element, type, &path)
      }
      return false
    case .leaf: break
    }
    if old == nil {
      added.insert(path)
    } else if new == nil {
      removed.insert(path)
    } else if let old, let new, !old.isSame(as: new) {
      modified.insert(path)
    }
    return true
  }

  private mutating func step(_ element: PathElement, _ old: JSONValue?, _ new: JSONValue?, _ type: Schema, _ path: inout [PathElement]) {
    path.append(element)
    compare(old, new, type, &path)
    path.removeLast()
  }

  /// One element of a list. Where it comes more than once in one state, all of them are one leaf there.
  private mutating func compare(
    _ old: [JSONValue], _ new: [JSONValue], _ element: PathElement, _ type: Schema, _ path: inout [PathElement]
  ) {
    switch (old.count, new.count) {
    case (...1, ...1): step(element, old.first, new.first, type, &path)
    case (2..., 2...): if !JSONValue.array(old).isSame(as: .array(new)) { modified.insert(path + [element]) }
    case (2..., _):
      if let new = new.first { step(element, nil, new, type, &path) }
      removed.insert(path + [element])
    default:
      if let old = old.first { step(element, old, nil, type, &path) }
      added.insert(path + [element])
    }
  }
}
