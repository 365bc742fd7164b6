internal import JSON
internal import KubeWire
internal import OrderedCollections

/// Checks `spec.parameters` against a template's JSON Schema before the engine is asked.
///
/// It knows the keywords that engines use for parameters: type, enum, const, required, properties, additionalProperties, items, minimum, maximum,
/// exclusive bounds, minLength, maxLength, minItems, maxItems, anyOf, oneOf. What it does not know it lets pass: the engine has the last word.
struct ParameterSchema {
  let schema: JSONValue

  /// - Parameter path: the field's path, for example `spec.parameters`.
  func check(_ value: JSONValue, path: String) -> [FieldError] { Self.check(value, schema, path, depth: 0) }

  private static func check(_ value: JSONValue, _ schema: JSONValue, _ path: String, depth: Int) -> [FieldError] {
    guard case .object(let keywords) = schema, depth < 32 else { return [] }
    if let alternatives = (keywords["anyOf"] ?? keywords["oneOf"])?.array {
      let results = alternatives.map { check(value, $0, path, depth: depth + 1) }
      if !results.contains(where: \.isEmpty), let first = results.first { return first }
    }
    if let types = types(keywords["type"]), !types.contains(where: { matches(value, $0) }) {
      return [
        FieldError(
          .typeInvalid, field: path, badValue: value,
          detail: "must be of type \(types.joined(separator: " or ")), as the template declares it")
      ]
    }
    if let allowed = keywords["enum"]?.array, !allowed.contains(where: { $0.isSame(as: value) }) {
      return [
        FieldError(.notSupported, field: path, badValue: value, detail: "supported values: \(allowed.map(\.text).joined(separator: ", "))")
      ]
    }
    if let only = keywords["const"], !only.isSame(as: value) {
      return [FieldError(.notSupported, field: path, badValue: value, detail: "supported values: \(only.text)")]
    }
    switch value {
    case .int, .double: return number(value, keywords, path)
    case .string(let text): return length(text.unicodeScalars.count, value, keywords, path, "Length", "characters")
    case .array(let elements):
      return length(elements.count, value, keywords, path, "Items", "items")
        + (keywords["items"].map { items in
          elements.enumerated().flatMap { check($0.element, items, "\(path)[\($0.offset)]", depth: depth + 1) }
        } ?? [])
    case .object(let members): return object(members, keywords, path, depth)
    default: return []
    }
  }

  private static func object(_ members: JSONObject, _ keywords: JSONObject, _ path: String, _ depth: Int) -> [FieldError] {
    var errors: [FieldError] = []
    let properties = keywords["properties"]?.object ?? [:]
    for name in keywords["required"]?.array?.compactMap(\.string) ?? [] where members[name] == nil {
      errors.append(FieldError(.required, field: "\(path).\(name)", detail: "the template requires this parameter"))
    }
    for (name, member) in members {
      if let property = properties[name] {
        errors += check(member, property, "\(path).\(name)", depth: depth + 1)
      } else if keywords["additionalProperties"]?.bool == false {
        let known = properties.keys.sorted().joined(separator: ", ")
        errors.append(FieldError(.forbidden, field: "\(path).\(name)", detail: "the template has no such parameter; it has: \(known)"))
      }
    }
    return errors
  }

  private static func number(_ value: JSONValue, _ keywords: JSONObject, _ path: String) -> [FieldError] {
    guard let number = value.double else { return [] }
    let bounds: [(String, (Double, Double) -> Bool, String)] = [
      ("minimum", { $0 >= $1 }, "greater than or equal to"), ("maximum", { $0 <= $1 }, "less than or equal to"),
      ("exclusiveMinimum", { $0 > $1 }, "greater than"), ("exclusiveMaximum", { $0 < $1 }, "less than"),
    ]
    return bounds.compactMap { keyword, holds, words in
      guard let bound = keywords[keyword], let limit = bound.double, !holds(number, limit) else { return nil }
      return FieldError(.invalid, field: path, badValue: value, detail: "must be \(words) \(bound.text)")
    }
  }

  private static func length(
    _ count: Int, _ value: JSONValue, _ keywords: JSONObject, _ path: String, _ keyword: String, _ unit: String
  ) -> [FieldError] {
    if let least = keywords["min" + keyword]?.int, count < least {
      return [FieldError(.invalid, field: path, badValue: value, detail: "must have at least \(least) \(unit)")]
    }
    if let most = keywords["max" + keyword]?.int, count > most {
      return [FieldError(.invalid, field: path, badValue: value, detail: "must have at most \(most) \(unit)")]
    }
    return []
  }

  private static func types(_ json: JSONValue?) -> [String]? {
    switch json {
    case .string(let type): [type]
    case .array(let types): types.compactMap(\.string)
    default: nil
    }
  }

  private static func matches(_ value: JSONValue, _ type: String) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array), ("object", .object), ("integer", .int),
      ("number", .int),
      ("number", .double):
      true
    case ("integer", .double(let number)): number == number.rounded()
    case ("null", _), ("boolean", _), ("string", _), ("array", _), ("object", _), ("integer", _), ("number", _): false
    default: true
    }
  }
}
