import JSON
import KubeWire
import OrderedCollections

/// Merges what an `applyConfiguration` expression gave into an object, as server-side apply merges.
enum ApplyMerge {
  struct Failure: Error, Sendable { let message: String }

  /// - Throws: for an atomic list and for fields that the kind does not have, as kube-apiserver refuses them: what the user meant to add to such a list
  ///   would replace all of it.
  static func merge(_ patch: JSONValue, into object: JSONValue, as schema: Schema) throws(Failure) -> JSONValue {
    var atomics: [String] = []
    try inspect(patch, schema, "", &atomics)
    guard atomics.isEmpty else {
      throw Failure(
        message: "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: "
          + atomics.joined(separator: ", "))
    }
    return schema.merge(object, patch)
  }

  private static func inspect(_ value: JSONValue, _ schema: Schema, _ path: String, _ atomics: inout [String]) throws(Failure) {
    if schema.isAtomic, value.object != nil { atomics.append(path) }
    switch schema.form {
    case .reference(let definition): try inspect(value, definition.schema, path, &atomics)
    case .object(let fields, let isOpen):
      for (name, member) in value.object ?? [:] {
        if let field = fields.first(where: { $0.name == name }) {
          try inspect(member, field.schema, "\(path).\(name)", &atomics)
        } else if !isOpen {
          throw Failure(
            message: "error applying patch: failed to convert patch object to typed object: \(path).\(name): field not declared in schema")
        }
      }
    case .map(let type): for (name, member) in value.object ?? [:] { try inspect(member, type, "\(path).\(name)", &atomics) }
    case .array(let type, let kind):
      guard let elements = value.array else { return }
      if kind == .atomic { return atomics.append(path) }
      for (index, element) in elements.enumerated() { try inspect(element, type, "\(path)[\(index)]", &atomics) }
    case .string, .integer, .number, .boolean, .anything: break
    }
  }
}
