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

  /// - Throws: the text of the first wrong type, or of a time that is none, in the words of Go's decoder.
  package mutating func decode(_ view: JSONView, as schema: Schema) throws(TypeMismatch) -> JSONValue {
    try decode(view, as: schema, at: "")
  }

  package struct TypeMismatch: Error, Sendable {
    package let message: String
  }

  private mutating func decode(_ view: JSONView, as schema: Schema, at path: String) throws(TypeMismatch) -> JSONValue {
    switch schema.form {
    case .reference(let definition): return try decode(view, as: definition.schema, at: path)
    case .anything: return free(view, at: path)
    case .string(let format, _):
      guard let text = view.string else { throw mismatch(view, path, "string") }
      if format == "date-time", !Self.isTime(text) {
        let shown = GoText.quoted(Self.cut(text))
        throw TypeMismatch(message: "parsing time \(shown) as \"2006-01-02T15:04:05Z07:00\": \(path) is no such time")
      }
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
        if members[name] != nil { report("duplicate field", join(path, name)) }
        members[name] = member.isNull ? Self.zero(value) : try decode(member, as: value, at: join(path, name))
      }
      return .object(members)
    case .object(let fields, let open):
      guard view.kind == .object else { throw mismatch(view, path, path.isEmpty ? kind : "map[string]interface {}") }
      if fields.isEmpty, open { return free(view, at: path) }
      return try object(view, fields, open: open, at: path)
    }
  }

  private mutating func object(_ view: JSONView, _ fields: [Schema.Field], open: Bool, at path: String) throws(TypeMismatch) -> JSONValue {
    var members = JSONObject()
    var seen: Set<String> = []
    for (name, member) in view.members {
      let place = join(path, name)
      let field = fields.first { $0.name == name }
      guard field != nil || open else {
        report("unknown field", place)
        continue
      }
      if !seen.insert(name).inserted { report("duplicate field", place) }
      guard let field else {
        members[name] = free(member, at: place)
        continue
      }
      if member.isNull {
        members[name] = nil
      } else {
        members[name] = try decode(member, as: field.schema, at: place)
      }
    }
    return .object(members)
  }

  /// What is nobody's business but the engine's is kept as it is; names that come twice in it are reported all the same, however deep they are.
  private mutating func free(_ view: JSONView, at path: String) -> JSONValue {
    var way: [Step] = []
    return free(view, below: path, &way)
  }

  private enum Step {
    case member(String)
    case element(Int)
  }

  /// - Parameter way: from `path` to here. It becomes a text only for a report: a body can hold a very long name with a very large object below it.
  private mutating func free(_ view: JSONView, below path: String, _ way: inout [Step]) -> JSONValue {
    switch view.kind {
    case .object:
      var members = JSONObject()
      for (name, member) in view.members {
        way.append(.member(name))
        if members[name] != nil { report("duplicate field", path, way) }
        members[name] = free(member, below: path, &way)
        way.removeLast()
      }
      return .object(members)
    case .array:
      var elements: [JSONValue] = []
      elements.reserveCapacity(view.count)
      for (index, element) in view.elements.enumerated() {
        way.append(.element(index))
        elements.append(free(element, below: path, &way))
        way.removeLast()
      }
      return .array(elements)
    case .null, .bool, .number, .string: return view.value
    }
  }

  private mutating func report(_ what: String, _ path: String, _ way: [Step] = []) {
    guard strictErrors.count < Self.maximumStrictErrors else { return }
    var place = path
    for step in way where place.utf8.count <= Self.maximumPathBytes {
      switch step {
      case .member(let name): place = join(place, name)
      case .element(let index): place += "[\(index)]"
      }
    }
    let error = "\(what) \(GoText.quoted(Self.cut(place)))"
    // What comes three times is told once.
    if !strictErrors.contains(error) { strictErrors.append(error) }
  }

  /// More of a path helps nobody, and a hundred of them would be more than the body.
  private static let maximumPathBytes = 1024

  private static func cut(_ text: String) -> String {
    text.utf8.count <= maximumPathBytes ? text : String(decoding: text.utf8.prefix(maximumPathBytes), as: UTF8.self) + "…"
  }

  /// RFC 3339 as Go reads it: a capital T and Z.
  private static func isTime(_ text: String) -> Bool {
    Timestamp(text) != nil && text.utf8.dropFirst(10).first == UInt8(ascii: "T") && text.utf8.last != UInt8(ascii: "z")
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
