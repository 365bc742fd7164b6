internal import JSON
internal import OrderedCollections

/// The body of a PATCH.
struct ObjectPatch: Sendable {
  /// Of each document, and of all labels or annotations together.
  static let maximumBytes = 256 << 10

  var name: String?
  /// nil removes the key.
  var labels: OrderedDictionary<String, String?> = [:]
  var annotations: OrderedDictionary<String, String?> = [:]
  /// nil leaves the overlay alone; one without a document removes it.
  var overlay: Replacement?
  var ifRevision: Int64?

  struct Replacement: Sendable { var document: RawJSON? }

  /// - Throws: 422 with the field.
  init(_ body: JSONView) throws(EngineError) {
    var fields = try FieldReader(body)
    name = try fields.string("name", maximum: 253)
    labels = try Self.changes(&fields, "labels")
    annotations = try Self.changes(&fields, "annotations")
    if fields.valueOrNull("overlay") != nil { overlay = Replacement(document: try fields.document("overlay")) }
    ifRevision = try fields.int("ifRevision", in: 1...Int64.max)
    try fields.finish()
  }

  /// - Throws: 409 when the object has moved on.
  func check(revision: Int64) throws(EngineError) {
    if let ifRevision, ifRevision != revision {
      throw .conflict("revisionMismatch", "the revision is \(revision), not \(ifRevision)", field: "ifRevision")
    }
  }

  func merged(
    _ map: OrderedDictionary<String, String>, _ changes: OrderedDictionary<String, String?>, field: String
  ) throws(EngineError) -> OrderedDictionary<String, String> {
    var map = map
    for (key, value) in changes { map[key] = value }
    try Self.checkSize(map, field)
    return map
  }

  static func checkSize(_ map: OrderedDictionary<String, String>, _ field: String) throws(EngineError) {
    let bytes = map.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    if bytes > maximumBytes { throw .invalid(field, "have \(bytes) bytes, more than \(maximumBytes)") }
  }

  private static func changes(_ fields: inout FieldReader, _ name: String) throws(EngineError) -> OrderedDictionary<String, String?> {
    guard let value = fields.value(name) else { return [:] }
    guard value.kind == .object else { throw .invalid(name, "must be an object of strings and nulls, not \(value.kind.rawValue)") }
    var changes: OrderedDictionary<String, String?> = [:]
    for (key, member) in value.members {
      guard member.isNull || member.string != nil else {
        throw .invalid("\(name).\(key)", "must be a string or null, not \(member.kind.rawValue)")
      }
      changes.updateValue(member.string, forKey: key)
    }
    return changes
  }
}
