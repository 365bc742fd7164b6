package import JSON
internal import OrderedCollections

extension Schema {
  /// What the schema declares beside the types: which members are required, which texts are allowed, and that no two elements of a keyed list have the same
  /// key, nor two of a set the same value.
  ///
  /// - Parameters:
  ///   - value: with the types of the schema, see ``SchemaDecoder``.
  ///   - path: of the value, such as `status.conditions`.
  package func errors(in value: JSONValue, at path: String) -> [FieldError] {
    switch form {
    case .reference(let definition): definition.schema.errors(in: value, at: path)
    case .string(_, let allowed):
      allowed.isEmpty || allowed.contains(value.string ?? "") ? [] : [.notSupported(path, value, supported: allowed)]
    case .object(let fields, _): fields.flatMap { $0.errors(in: value, at: path) }
    case .map(let member): value.object?.flatMap { member.errors(in: $0.value, at: "\(path)[\($0.key)]") } ?? []
    case .array(let element, let kind): elementErrors(in: value.array ?? [], element, kind, at: path)
    case .integer, .number, .boolean, .anything: []
    }
  }

  private func elementErrors(in elements: [JSONValue], _ element: Schema, _ kind: ListKind, at path: String) -> [FieldError] {
    var errors: [FieldError] = []
    var seen: Set<PathElement> = []
    for (index, value) in elements.enumerated() {
      let place = "\(path)[\(index)]"
      if let name = PathElement(element: value, of: kind), !seen.insert(name).inserted {
        // A single key is what the client has to change.
        let key = kind.keys.count == 1 ? kind.keys.first : nil
        errors.append(.duplicate(key.map { "\(place).\($0)" } ?? place, key.flatMap { value[$0] } ?? value))
      }
      errors += element.errors(in: value, at: place)
    }
    return errors
  }
}

extension Schema.Field {
  /// An empty text in a required member is none.
  fileprivate func errors(in object: JSONValue, at path: String) -> [FieldError] {
    let place = "\(path).\(name)"
    let member = object[name]
    if isRequired, member == nil || member == "" { return [.required(place)] }
    return member.map { schema.errors(in: $0, at: place) } ?? []
  }
}
