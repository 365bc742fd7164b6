internal import JSON
internal import OrderedCollections

extension FieldSet {
  /// All that a manager owns who sets exactly this value.
  init(of value: JSONValue, _ schema: Schema) {
    guard case .map = schema.shape(of: value) else { return }
    self = Self.below(value, schema)
  }

  /// What is owned below a value that is no leaf.
  private static func below(_ value: JSONValue, _ schema: Schema) -> FieldSet {
    var set = FieldSet()
    switch schema.shape(of: value) {
    case .leaf: break
    case .map(let named, let other):
      let shape = Shape.map(named: named, other: other)
      for (name, member) in value.object ?? [:] {
        let type = shape.member(name)
        // A member that the type does not name exists only because somebody put it there; a named one is there as long as anything is in it.
        let isMember = type.isLeaf(member) || member.isNull || member.object?.isEmpty == true || !shape.isNamed(name)
        set[.field(name)] = Node(isMember: isMember, children: below(member, type))
      }
    case .list(let element, let kind):
      let elements = NamedElements(value, kind)
      for (name, values) in elements.values {
        set[name] = Node(isMember: true, children: values.count == 1 ? below(values[0], element) : FieldSet())
      }
    }
    return set
  }

  /// With the members that the type names added where something below them is in the set.
  func withNamedFields(_ schema: Schema) -> FieldSet {
    var result = FieldSet()
    let shape = schema.shape(of: .null)
    for (element, node) in nodes {
      var node = node
      switch element {
      case .field(let name):
        node.isMember = node.isMember || shape.isNamed(name)
        node.children = node.children.withNamedFields(shape.member(name))
      default:
        if case .list(let type, _) = shape { node.children = node.children.withNamedFields(type) }
      }
      result[element] = node
    }
    return result
  }
}

extension Schema {
  func isLeaf(_ value: JSONValue) -> Bool { if case .leaf = shape(of: value) { true } else { false } }
}
