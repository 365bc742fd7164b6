internal import JSON
internal import OrderedCollections

/// A template's parameters as JSON Schema. Understood: `type` (a word or several), `enum`, `const`, `default`, `required`, `properties`,
/// `additionalProperties` (boolean), `items`, `minimum`, `maximum`, `minLength`, `maxLength`, `minItems`, `maxItems`, `pattern`. Other
/// words are kept and reported but not enforced.
struct ParameterSchema: Sendable {
  private let schema: JSONObject?

  init(_ schema: JSONObject?) { self.schema = schema }

  /// The parameters with defaults filled in. - Throws: 422 with the parameter's path.
  func completed(_ given: JSONObject) throws(EngineError) -> JSONObject {
    guard let schema else { return given }
    var parameters = given
    for (name, property) in schema["properties"]?.object ?? [:] where parameters[name] == nil {
      if let value = property["default"] { parameters[name] = value }
    }
    var object = schema
    object["type"] = nil
    try Self.check(.object(parameters), against: object, path: "parameters")
    return parameters
  }

  /// - Throws: 422 where the schema itself is malformed.
  func checkSelf() throws(EngineError) {
    guard let schema else { return }
    try Self.checkSchema(.object(schema), path: "parameters")
  }

  private static func check(_ value: JSONValue, against schema: JSONObject, path: String) throws(EngineError) {
    if let types = schema["type"].map(words), !types.contains(where: { matches(value, type: $0) }) {
      throw .invalid(path, "must be \(types.joined(separator: " or ")), not \(value.typeName)")
    }
    if let choices = schema["enum"]?.array, !choices.contains(value) {
      throw .invalid(path, "must be one of \(choices.map(\.text).joined(separator: ", "))")
    }
    if let constant = schema["const"], constant != value { throw .invalid(path, "must be \(constant.text)") }
    if let number = value.double {
      if let minimum = schema["minimum"]?.double, number < minimum { throw .invalid(path, "must be at least \(schema["minimum"]!.text)") }
      if let maximum = schema["maximum"]?.double, number > maximum { throw .invalid(path, "must be at most \(schema["maximum"]!.text)") }
    }
    if let string = value.string {
      let length = Int64(string.unicodeScalars.count)
      if let minimum = schema["minLength"]?.int, length < minimum { throw .invalid(path, "must have at least \(minimum) characters") }
      if let maximum = schema["maxLength"]?.int, length > maximum { throw .invalid(path, "must have at most \(maximum) characters") }
      if let pattern = schema["pattern"]?.string, let regex = try? Regex(pattern), string.firstMatch(of: regex) == nil {
        throw .invalid(path, "must match \(pattern)")
      }
    }
    if let elements = value.array {
      if let minimum = schema["minItems"]?.int, elements.count < minimum { throw .invalid(path, "must have at least \(minimum) items") }
      if let maximum = schema["maxItems"]?.int, elements.count > maximum { throw .invalid(path, "must have at most \(maximum) items") }
      if let items = schema["items"]?.object {
        for (position, element) in elements.enumerated() { try check(element, against: items, path: "\(path)[\(position)]") }
      }
    }
    if let members = value.object {
      for name in schema["required"]?.array ?? [] {
        if let name = name.string, members[name] == nil { throw .invalid("\(path).\(name)", "is needed") }
      }
      let properties = schema["properties"]?.object ?? [:]
      for (name, member) in members {
        if let property = properties[name]?.object {
          try check(member, against: property, path: "\(path).\(name)")
        } else if schema["additionalProperties"] == .bool(false), properties[name] == nil {
          throw .invalid("\(path).\(name)", "is not known")
        }
      }
    }
  }

  private static func checkSchema(_ schema: JSONValue, path: String) throws(EngineError) {
    if schema.bool != nil { return }
    guard let members = schema.object else { throw .invalid(path, "must be a JSON Schema, not \(schema.typeName)") }
    for word in members["type"].map(words) ?? [] where !types.contains(word) {
      throw .invalid("\(path).type", "\"\(word)\" is no type of JSON Schema")
    }
    if let pattern = members["pattern"] {
      guard let text = pattern.string, (try? Regex(text)) != nil else { throw .invalid("\(path).pattern", "is no regular expression") }
    }
    if let properties = members["properties"] {
      guard let object = properties.object else { throw .invalid("\(path).properties", "must be an object, not \(properties.typeName)") }
      for (name, property) in object { try checkSchema(property, path: "\(path).properties.\(name)") }
    }
    if let required = members["required"], required.array?.allSatisfy({ $0.string != nil }) != true {
      throw .invalid("\(path).required", "must be an array of strings")
    }
    if let items = members["items"] { try checkSchema(items, path: "\(path).items") }
  }

  private static let types: Set<String> = ["null", "boolean", "integer", "number", "string", "array", "object"]

  private static func words(_ value: JSONValue) -> [String] {
    value.string.map { [$0] } ?? (value.array ?? []).map { $0.string ?? $0.text }
  }

  private static func matches(_ value: JSONValue, type: String) -> Bool {
    switch (type, value) {
    case ("number", .int), ("integer", .int): true
    case ("number", .double): true
    case ("integer", .double(let number)): number == number.rounded()
    default: value.typeName == type
    }
  }
}
