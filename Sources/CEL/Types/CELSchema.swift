/// The known fields of a JSON object.
public final class CELSchema: @unchecked Sendable, Hashable {
  /// What error messages call the type.
  public let name: String
  /// Written once, before anybody else sees the schema (schemas may refer to each other in a circle).
  public internal(set) var fields: [String: CELType]

  public init(name: String, fields: [String: CELType]) {
    self.name = name
    self.fields = fields
  }

  public static func == (a: CELSchema, b: CELSchema) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
