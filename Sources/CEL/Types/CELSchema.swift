/// The known fields of a JSON object.
public final class CELSchema: @unchecked Sendable, Hashable {
  /// What error messages call the type.
  public let name: String
  /// Written only before anybody else sees the schema (schemas may refer to each other in a circle).
  public internal(set) var fields: [String: CELType]
  /// The type of fields that are not named; nil when there are none.
  public internal(set) var additional: CELType?

  public init(name: String, fields: [String: CELType], additional: CELType? = nil) {
    self.name = name
    self.fields = fields
    self.additional = additional
  }

  /// A field by the name an expression writes; Kubernetes spells what is no identifier with escapes such as `__dash__`.
  func field(_ name: String) -> (name: String, type: CELType)? {
    if let type = fields[name] { return (name, type) }
    if name.contains("__") {
      let plain = Self.unescaped(name)
      if let type = fields[plain] { return (plain, type) }
    }
    return additional.map { (name, $0) }
  }

  private static func unescaped(_ name: String) -> String {
    var out = ""
    var rest = name[...]
    let escapes = [("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/")]
    while !rest.isEmpty {
      if let (escape, plain) = escapes.first(where: { rest.hasPrefix($0.0) }) {
        out += plain
        rest = rest.dropFirst(escape.count)
      } else {
        out.append(rest.removeFirst())
      }
    }
    // A reserved word is written between two underscores each.
    if out.hasPrefix("__"), out.hasSuffix("__"), out.count > 4 { return String(out.dropFirst(2).dropLast(2)) }
    return out
  }

  public static func == (a: CELSchema, b: CELSchema) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
