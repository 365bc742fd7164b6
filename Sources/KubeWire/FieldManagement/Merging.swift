package import JSON
internal import OrderedCollections

extension Schema {
  /// What a manager applies, laid over what is there. Nothing is taken away by it.
  package func merge(_ live: JSONValue, _ applied: JSONValue) -> JSONValue {
    switch shape(of: applied) {
    case .leaf: return applied
    case .map(let named, let other):
      guard let added = applied.object, !added.isEmpty else { return live.object?.isEmpty == false ? live : applied }
      let shape = Shape.map(named: named, other: other)
      var members = live.object ?? [:]
      for (name, member) in added { members[name] = members[name].map { shape.member(name).merge($0, member) } ?? member }
      return .object(members)
    case .list(let element, let kind):
      let (before, after) = (NamedElements(live, kind), NamedElements(applied, kind))
      guard !after.list.isEmpty else { return before.list.isEmpty ? applied : live }
      return .array(Self.mergeLists(before, after, element))
    }
  }

  /// The applied elements come in their own order. Those that only the live list has stay in front of what they were in front of.
  private static func mergeLists(_ live: NamedElements, _ applied: NamedElements, _ type: Schema) -> [JSONValue] {
    var merged: [JSONValue] = []
    var shared = applied.list.map(\.element).filter { live.values[$0] != nil }[...]
    var next = live.list[...]
    func keepUnapplied() {
      while let (element, value) = next.first, element != shared.first {
        if applied.values[element] == nil { merged.append(value) }
        next.removeFirst()
      }
    }
    for (element, value) in applied.list {
      keepUnapplied()
      let values = live.values[element] ?? []
      merged.append(values.count == 1 ? type.merge(values[0], value) : value)
      if element == shared.first { shared.removeFirst() }
    }
    shared = []
    keepUnapplied()
    return merged
  }

  /// The value without the members and elements that are in the set, each with all that is below it. Containers stay where they become empty.
  func removing(_ paths: FieldSet, from value: JSONValue) -> JSONValue {
    guard !paths.isEmpty else { return value }
    let shape = shape(of: value)
    switch shape {
    case .leaf: return value
    case .map:
      guard let members = value.object else { return value }
      var kept = JSONObject()
      for (name, member) in members {
        let node = paths[.field(name)]
        if !node.isMember { kept[name] = shape.member(name).removing(node.children, from: member) }
      }
      return .object(kept)
    case .list(let type, let kind):
      guard value.array != nil else { return value }
      // Not by compactMap: nil would be a JSON null there.
      let kept = NamedElements(value, kind).list.filter { !paths[$0.element].isMember }
      return .array(kept.map { element, value in type.removing(paths[element].children, from: value) })
    }
  }
}
