internal import JSON
internal import OrderedCollections

/// How server-side apply sees one value: what of it has managers of its own.
enum Shape {
  /// Owned as a whole: scalars, atomic lists and atomic maps.
  case leaf
  /// Each member has its managers. - named: the members that the type names. - other: the type of all others.
  case map(named: [Schema.Field], other: Schema)
  /// Each element has its managers.
  case list(element: Schema, Schema.ListKind)

  func isSameKind(as other: Shape) -> Bool {
    switch (self, other) {
    case (.leaf, .leaf), (.map, .map), (.list, .list): true
    default: false
    }
  }

  /// The type of a member.
  func member(_ name: String) -> Schema {
    guard case .map(let named, let other) = self else { return .anything }
    return named.first { $0.name == name }?.schema ?? other
  }

  func isNamed(_ name: String) -> Bool {
    guard case .map(let named, _) = self else { return false }
    return named.contains { $0.name == name }
  }
}

extension Schema {
  static let anything = Schema(.anything, "")

  /// What is not described is seen as Kubernetes sees it: objects member by member, lists as a whole. null has the shape of whatever could be there.
  func shape(of value: JSONValue) -> Shape {
    if isAtomic { return .leaf }
    switch form {
    case .reference(let definition): return definition.schema.shape(of: value)
    case .anything: return value.object != nil || value.isNull ? .map(named: [], other: .anything) : .leaf
    case .object(let fields, _): return value.object != nil || value.isNull ? .map(named: fields, other: .anything) : .leaf
    case .map(let member): return value.object != nil || value.isNull ? .map(named: [], other: member) : .leaf
    case .array(_, .atomic): return .leaf
    case .array(let element, let kind):
      // A list with an element that cannot be named can only be owned as a whole.
      let isReadable = value.isNull || value.array.map { $0.allSatisfy { PathElement(element: $0, of: kind) != nil } } ?? false
      return isReadable ? .list(element: element, kind) : .leaf
    case .string, .integer, .number, .boolean: return .leaf
    }
  }
}

extension PathElement {
  /// How an element of a list is named; nil where it has no key, or its value cannot be one.
  init?(element: JSONValue, of kind: Schema.ListKind) {
    switch kind {
    case .atomic: return nil
    case .set:
      guard !element.isNull, element.object == nil, element.array == nil else { return nil }
      self = .value(element.normalizedNumber)
    case .map(let keys):
      guard let members = element.object else { return nil }
      let found = keys.compactMap { key in members[key].map { KeyMember(key, $0.normalizedNumber) } }
      guard !found.isEmpty else { return nil }
      self = .key(found.sorted { $0.name.precedesInBytes($1.name) })
    }
  }
}

/// The elements of a list by their names.
struct NamedElements {
  let list: [(element: PathElement, value: JSONValue)]
  /// More than one where a name comes twice, which only a live object may have.
  let values: [PathElement: [JSONValue]]

  init(_ value: JSONValue?, _ kind: Schema.ListKind) {
    list = (value?.array ?? []).compactMap { value in PathElement(element: value, of: kind).map { ($0, value) } }
    values = Dictionary(grouping: list, by: \.element).mapValues { $0.map(\.value) }
  }
}

extension JSONValue {
  var isEmptyContainer: Bool {
    switch self {
    case .object(let members): members.isEmpty
    case .array(let elements): elements.isEmpty
    default: true
    }
  }
}
