internal import JSON
internal import OrderedCollections

/// How schemas are written in the two versions of OpenAPI.
enum OpenAPIDialect {
  case v2, v3

  private var referencePrefix: String { self == .v2 ? "#/definitions/" : "#/components/schemas/" }

  func reference(_ definition: Schema.Definition) -> JSONValue { ["$ref": .string(referencePrefix + definition.name)] }

  func schema(_ schema: Schema) -> JSONValue {
    var members = JSONObject()
    if !schema.description.isEmpty { members["description"] = .string(schema.description) }
    switch schema.form {
    case .string(let format, let allowed):
      members["type"] = "string"
      if let format { members["format"] = .string(format) }
      if !allowed.isEmpty { members["enum"] = .array(allowed.map { .string($0) }) }
    case .integer(let format, let minimum):
      members["type"] = "integer"
      members["format"] = .string(format)
      if let minimum { members["minimum"] = .int(minimum) }
    case .number: members["type"] = "number"
    case .boolean: members["type"] = "boolean"
    case .array(let element, let kind):
      members["type"] = "array"
      members["items"] = self.schema(element)
      switch kind {
      case .atomic: members["x-kubernetes-list-type"] = "atomic"
      case .set: members["x-kubernetes-list-type"] = "set"
      case .map(let keys):
        members["x-kubernetes-list-map-keys"] = .array(keys.map { .string($0) })
        members["x-kubernetes-list-type"] = "map"
        if schema.hasMergeStrategy, let key = keys.first { members["x-kubernetes-patch-merge-key"] = .string(key) }
      }
      if schema.hasMergeStrategy { members["x-kubernetes-patch-strategy"] = "merge" }
    case .map(let value):
      members["type"] = "object"
      members["additionalProperties"] = self.schema(value)
    case .anything: members["x-kubernetes-preserve-unknown-fields"] = true
    case .object(let fields, let open):
      members["type"] = "object"
      if open { members["x-kubernetes-preserve-unknown-fields"] = true }
      let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
      if !required.isEmpty { members["required"] = .array(required) }
      if !fields.isEmpty {
        members["properties"] = .object(
          JSONObject(uniqueKeysWithValues: fields.sorted { $0.name < $1.name }.map { ($0.name, self.schema($0.schema)) }))
      }
    case .reference(let definition):
      // Beside a $ref nothing counts in v3, so the description goes around it.
      if self == .v3 {
        members["allOf"] = [reference(definition)]
      } else {
        members["$ref"] = .string(referencePrefix + definition.name)
      }
    }
    if schema.isAtomic { members["x-kubernetes-map-type"] = "atomic" }
    return .object(members)
  }

  /// The definition and all that it refers to, by name.
  func collect(_ definition: Schema.Definition, into definitions: inout [String: JSONValue]) {
    guard definitions[definition.name] == nil else { return }
    var written = schema(definition.schema)
    if !definition.kinds.isEmpty { written["x-kubernetes-group-version-kind"] = .array(definition.kinds.map(Self.gvk)) }
    definitions[definition.name] = written
    collect(in: definition.schema, into: &definitions)
  }

  private func collect(in schema: Schema, into definitions: inout [String: JSONValue]) {
    switch schema.form {
    case .reference(let definition): collect(definition, into: &definitions)
    case .array(let element, _): collect(in: element, into: &definitions)
    case .map(let value): collect(in: value, into: &definitions)
    case .object(let fields, _): for field in fields { collect(in: field.schema, into: &definitions) }
    default: break
    }
  }

  static func gvk(_ gvk: GroupVersionKind) -> JSONValue {
    ["group": .string(gvk.group), "kind": .string(gvk.kind), "version": .string(gvk.version)]
  }
}
