package import JSON
internal import OrderedCollections

/// Reads a body as a kind: types are checked, nulls count as absent, members that the kind does not have are dropped and reported, of
/// members that come twice the last one counts (kubernetes-wire C3, C4).
package struct SchemaDecoder {
  /// `unknown field "spec.foo"` and `duplicate field "spec"`, in the order of the text.
  package private(set) var strictErrors: [String] = []
  /// As many are told as Kubernetes' decoder tells; a body can hold hundreds of thousands.
  private static let maximumStrictErrors = 100
  /// The kind's name, for messages about types.
  private let kind: String

  package init(kind: String) { self.kind = kind }

  /// - Throws: the text of the first wrong type, in the words of Go's encoding/json.
  package mutating func decode(_ view: JSONView, as schema: Schema) throws(TypeMismatch) -> JSONValue {
    try decode(view, as: schema, at: "")
  }

  package struct TypeMismatch: Error, Sendable {
    package let message: String
  }

  private mutating func decode(_ view: JSONView, as schema: Schema, at path: String) throws(TypeMismatch) -> JSONValue {
    switch schema.form {
    case .reference(let definition): return try decode(view, as: definition.schema, at: path)
    case .anything: return view.value
    case .string:
      guard let text = view.string else { throw mismatch(view, path, "string") }
      return .string(text)
    case .integer(let format, _):
      guard let number = view.int, format != "int32" || Int32(exactly: number) != nil else { throw mismatch(view, path, format) }
      return .int(number)
    case .number:
      guard view.kind == .number else { throw mismatch(view, path, "float64") }
      return view.value
    case .boolean:
      guard let flag = view.bool else { throw mismatch(view, path, "bool") }
      return .bool(flag)
    case .array(let element, _):
      guard view.kind == .array else { throw mismatch(view, path, "[]\(Self.goName(element))") }
      var values: [JSONValue] = []
      for (index, item) in view.elements.enumerated() {
        // Go reads null as the zero value of the element.
        values.append(item.isNull ? Self.zero(element) : try decode(item, as: element, at: "\(path)[\(index)]"))
      }
      return .array(values)
    case .map(let value):
      guard view.kind == .object else { throw mismatch(view, path, "map[string]\(Self.goName(value))") }
      var members = JSONObject()
      for (name, member) in view.members {
        if members[name] != nil { report("duplicate field \(GoText.quoted(join(path, name)))") }
        members[name] = member.isNull ? Self.zero(value) : try decode(member, as: value, at: join(path, name))
      }
      return .object(members)
    case .object(let fields, let open):
      guard view.kind == .object else { throw mismatch(view, path, path.isEmpty ? kind : "map[string]interface {}") }
      if fields.isEmpty, open { return try unlisted(view, at: path) }
      return try object(view, fields, open: open, at: path)
    }
  }

  private mutating func object(_ view: JSONView, _ fields: [Schema.Field], open: Bool, at path: String) throws(TypeMismatch) -> JSONValue {
    var members = JSONObject()
    var seen: Set<String> = []
    for (name, member) in view.members {
      let place = join(path, name)
      guard let field = fields.first(where: { $0.name == name }) else {
        if open { members[name] = member.value } else { report("unknown field \(GoText.quoted(place))") }
        continue
      }
      if !seen.insert(name).inserted { report("duplicate field \(GoText.quoted(place))") }
      if member.isNull {
        members[name] = nil
      } else {
        members[name] = try decode(member, as: field.schema, at: place)
      }
    }
    return .object(members)
  }

  /// An object whose members are nobody's business but the engine's; repeated names are still reported.
  private mutating func unlisted(_ view: JSONView, at path: String) throws(TypeMismatch) -> JSONValue {
    var members = JSONObject()
    for (name, member) in view.members {
      if members[name] != nil { report("duplicate field \(GoText.quoted(join(path, name)))") }
      members[name] = member.value
    }
    return .object(members)
  }

  private mutating func report(_ error: String) {
    if strictErrors.count < Self.maximumStrictErrors { strictErrors.append(error) }
  }

  private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private func mismatch(_ view: JSONView, _ path: String, _ type: String) -> TypeMismatch {
    let found = view.kind == .number && type != "string" && view.int == nil ? "number \(view.value.text)" : view.kind.rawValue
    guard !path.isEmpty else { return TypeMismatch(message: "json: cannot unmarshal \(found) into Go value of type \(type)") }
    return TypeMismatch(message: "json: cannot unmarshal \(found) into Go struct field \(kind).\(path) of type \(type)")
  }

  private static func goName(_ schema: Schema) -> String {
    switch schema.form {
    case .string: "string"
    case .integer(let format, _): format
    case .number: "float64"
    case .boolean: "bool"
    case .array(let element, _): "[]\(goName(element))"
    case .map(let value): "map[string]\(goName(value))"
    case .object: "object"
    case .anything: "interface {}"
    case .reference(let definition): String(definition.name.split(separator: ".").last ?? "")
    }
  }

  private static func zero(_ schema: Schema) -> JSONValue {
    switch schema.form {
    case .string: ""
    case .integer, .number: 0
    case .boolean: false
    case .array: []
    case .map, .object: .emptyObject
    case .anything: .null
    case .reference(let definition): zero(definition.schema)
    }
  }
}
