public import JSON
internal import OrderedCollections

extension CELType {
  /// The type that a JSON Schema or an OpenAPI v3 schema describes, as Kubernetes reads it for its expressions.
  ///
  /// Objects with `properties` are types whose other fields are errors, unless `additionalProperties` or `x-kubernetes-preserve-unknown-fields` let them
  /// be; objects with `additionalProperties` alone are maps. Strings of format date-time, duration and byte are timestamps, durations and bytes;
  /// `nullable` (or a type list with null) makes a type that may be null. What cannot be told (`anyOf`, int-or-string, no type at all) is ``dyn``.
  /// `$ref` is followed inside the same document, also in circles.
  ///
  /// - Parameters:
  ///   - schema: the schema; it is also the document that references point into, unless `document` is given.
  ///   - name: what error messages call the outermost object; inner ones add their field to it.
  /// - Throws: ``CELError`` of kind check for a reference that leads nowhere.
  public init(schema: JSONValue, name: String = "object", document: JSONValue? = nil) throws(CELError) {
    var reader = SchemaReader(document: document ?? schema)
    self = try reader.type(schema, name, 0)
  }
}

private struct SchemaReader {
  let document: JSONValue
  private var known: [String: CELSchema] = [:]
  private var references = 0

  init(document: JSONValue) { self.document = document }

  mutating func type(_ schema: JSONValue, _ name: String, _ depth: Int) throws(CELError) -> CELType {
    guard depth < 64 else { return .dyn }
    guard let members = schema.object else { return .dyn }
    let type = try plain(schema, name, depth)
    var isNullable = members["nullable"]?.bool ?? false
    if let types = members["type"]?.array, types.contains("null") { isNullable = true }
    switch type {
    case .dyn, .null, .nullable: return type
    default: return isNullable ? .nullable(type) : type
    }
  }

  private mutating func plain(_ schema: JSONValue, _ name: String, _ depth: Int) throws(CELError) -> CELType {
    if let reference = schema["$ref"]?.string { return try referenced(reference, depth) }
    if schema["x-kubernetes-int-or-string"]?.bool == true { return .dyn }
    if let all = schema["allOf"]?.array, all.count == 1, schema["properties"] == nil, schema["type"] == nil {
      return try type(all[0], name, depth + 1)
    }
    var kind = schema["type"]?.string
    if let types = schema["type"]?.array {
      let others = types.filter { $0 != "null" }
      guard others.count == 1 else { return .dyn }
      kind = others[0].string
    }
    if kind == nil, schema["properties"] != nil { kind = "object" }
    switch kind {
    case "string":
      switch schema["format"]?.string {
      case "date-time": return .timestamp
      case "duration": return .duration
      case "byte": return .bytes
      case "int-or-string": return .dyn
      default: return .string
      }
    case "integer": return .int
    case "number": return .double
    case "boolean": return .bool
    case "null": return .null
    case "array": return .list(try schema["items"].map { items throws(CELError) in try type(items, name + "[]", depth + 1) } ?? .dyn)
    case "object": return try object(schema, CELSchema(name: name, fields: [:]), depth)
    default: return .dyn
    }
  }

  private mutating func object(_ schema: JSONValue, _ made: CELSchema, _ depth: Int) throws(CELError) -> CELType {
    var additional: CELType?
    switch schema["additionalProperties"] {
    case .object?: additional = try type(schema["additionalProperties"]!, made.name + ".*", depth + 1)
    case .bool(true)?: additional = .dyn
    default: break
    }
    if schema["x-kubernetes-preserve-unknown-fields"]?.bool == true { additional = .dyn }
    guard let properties = schema["properties"]?.object, !properties.isEmpty else {
      return .map(.string, additional ?? .dyn)
    }
    made.additional = additional
    for (field, property) in properties { made.fields[field] = try type(property, "\(made.name).\(field)", depth + 1) }
    return .object(made)
  }

  private mutating func referenced(_ reference: String, _ depth: Int) throws(CELError) -> CELType {
    if let schema = known[reference] { return .object(schema) }
    references += 1
    guard reference.hasPrefix("#"), references <= 10_000 else {
      throw CELError(.check, "the schema reference '\(reference)' is not in the document")
    }
    var target = document
    for step in reference.dropFirst().split(separator: "/") {
      let name = step.replacing("~1", with: "/").replacing("~0", with: "~")
      guard let next = target[String(name)] else { throw CELError(.check, "the schema reference '\(reference)' leads nowhere") }
      target = next
    }
    let name = reference.split(separator: "/").last.map { String($0) } ?? "object"
    let isObject = target["properties"]?.object?.isEmpty == false && target["$ref"] == nil
    guard isObject else { return try type(target, name, depth + 1) }
    // Known before its fields are read, so that a circle closes.
    let schema = CELSchema(name: name, fields: [:])
    known[reference] = schema
    return try object(target, schema, depth + 1)
  }
}
