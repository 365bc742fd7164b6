package import JSON
package import OrderedCollections

/// The part of JSON Schema in which an adapter file describes its settings and its scope.
package struct ValueSchema: Sendable {
  package enum Kind: String, Sendable, CaseIterable { case string, integer, number, boolean, array, object, any }

  package var kind: Kind = .any
  package var description: String?
  package var properties: OrderedDictionary<String, ValueSchema> = [:]
  package var required: [String] = []
  package var items: [ValueSchema] = []
  package var allowed: [JSONValue] = []
  package var defaultValue: JSONValue?
  package var minimum: Int64?
  package var maximum: Int64?
  /// Members beside the named ones are allowed, and not looked at.
  package var open = false

  package init() {}

  init(_ node: YAMLNode, _ problems: Problems) {
    let fields = Fields(
      node, problems,
      allowed: ["type", "description", "properties", "required", "items", "enum", "default", "minimum", "maximum", "additionalProperties"])
    kind = fields.word("type", Kind.self) ?? (fields["properties"] == nil ? .any : .object)
    description = fields.text("description")
    if let node = fields["properties"] {
      if node.entries == nil { problems.add(node.place, "must be a mapping of names to schemas") }
      for entry in node.entries ?? [] { properties[entry.name] = ValueSchema(entry.value, problems) }
    }
    required = fields.texts("required") ?? []
    for name in required where properties[name] == nil {
      problems.add(fields.place(of: "required"), "names '\(name)', which is no property")
    }
    if let node = fields["items"] { items = [ValueSchema(node, problems)] }
    if let node = fields["enum"] {
      if let elements = node.elements { allowed = elements.map(\.json) } else { problems.add(node.place, "must be a list") }
    }
    minimum = fields.int("minimum", Int.min...Int.max).map { Int64($0) }
    maximum = fields.int("maximum", Int.min...Int.max).map { Int64($0) }
    open = fields.flag("additionalProperties") ?? false
    defaultValue = fields["default"]?.json
    if let defaultValue {
      for fault in faults(in: defaultValue, at: "").faults {
        problems.add(fields.place(of: "default"), "does not fit its own schema: \(fault.message)")
      }
    }
  }

  package struct Fault: Sendable, Hashable {
    /// For example `settings.tasks[1]`.
    package var field: String
    package var message: String
  }

  /// The value with the defaults filled in, and everything that is wrong with it.
  package func faults(in value: JSONValue, at field: String) -> (value: JSONValue, faults: [Fault]) {
    var faults: [Fault] = []
    let value = check(value, field, &faults)
    return (value, faults)
  }

  private func check(_ value: JSONValue, _ field: String, _ faults: inout [Fault]) -> JSONValue {
    func fault(_ message: String) { faults.append(Fault(field: field, message: message)) }
    if !allowed.isEmpty, !allowed.contains(value) { fault("must be one of \(allowed.map(\.text).joined(separator: ", "))") }
    switch (kind, value) {
    case (.string, .string), (.boolean, .bool), (.any, _), (.number, .double): break
    case (.integer, .int(let number)), (.number, .int(let number)):
      if let minimum, number < minimum { fault("must be at least \(minimum)") }
      if let maximum, number > maximum { fault("must be at most \(maximum)") }
    case (.array, .array(let elements)):
      guard let schema = items.first else { return value }
      return .array(elements.enumerated().map { schema.check($1, "\(field)[\($0)]", &faults) })
    case (.object, .object(var members)):
      for (name, member) in members {
        if let schema = properties[name] {
          members[name] = schema.check(member, Place.member(name, of: field), &faults)
        } else if !open {
          let hint =
            nearest(name, in: Array(properties.keys)).map { "; did you mean '\($0)'?" }
            ?? "; known are \(properties.keys.joined(separator: ", "))"
          faults.append(Fault(field: Place.member(name, of: field), message: properties.isEmpty ? "is unknown" : "is unknown\(hint)"))
        }
      }
      for (name, schema) in properties where members[name] == nil {
        if let value = schema.defaultValue {
          members[name] = value
        } else if required.contains(name) {
          faults.append(Fault(field: Place.member(name, of: field), message: "is missing" + (schema.description.map { " (\($0))" } ?? "")))
        }
      }
      return .object(members)
    default: fault("must be \(article(kind.rawValue)), not \(article(value.typeName))")
    }
    return value
  }
}
