package import JSON
internal import OrderedCollections

/// FieldsV1, the form of the set in `metadata.managedFields`: an object whose members are steps (`f:name`, `k:{"name":"a"}`, `v:"x"`, `i:0`), with `.` for
/// the place itself where more is below it (kubernetes-wire S6).
extension FieldSet {
  package struct Failure: Error, Sendable {
    package let message: String
  }

  /// Deeper than any object that the JSON reader lets in.
  private static let maximumDepth = 512

  /// - Throws: ``Failure`` for what is no FieldsV1. Steps of a form that is not known are left out, for a later version may have more.
  package init(json: JSONValue) throws(Failure) { try self.init(json, depth: 0) }

  private init(_ json: JSONValue, depth: Int) throws(Failure) {
    guard let members = json.object else { throw Failure(message: "expected object") }
    guard depth < Self.maximumDepth else { throw Failure(message: "nested too deeply") }
    for (name, below) in members where name != "." {
      guard let element = try PathElement(fieldsV1: name) else { continue }
      let children = try FieldSet(below, depth: depth + 1)
      let isMember = children.isEmpty || below["."] != nil
      let before = self[element]
      self[element] = Node(isMember: isMember || before.isMember, children: before.children.union(children))
    }
  }

  package var json: JSONValue {
    var members = JSONObject()
    for element in elements {
      let node = self[element]
      var below = JSONObject()
      if node.isMember, !node.children.isEmpty { below["."] = .emptyObject }
      if case .object(let children) = node.children.json { for (name, child) in children { below[name] = child } }
      members[element.fieldsV1] = .object(below)
    }
    return .object(members)
  }
}

extension PathElement {
  /// Reads `f:name` and the like; nil for a kind of step that is not known.
  init?(fieldsV1 text: String) throws(FieldSet.Failure) {
    let bytes = text.utf8
    guard bytes.count >= 2 else { throw FieldSet.Failure(message: "key must be 2 characters long: \(text)") }
    guard bytes[bytes.index(after: bytes.startIndex)] == 0x3A else { throw FieldSet.Failure(message: "missing colon: \(text)") }
    let rest = String(decoding: bytes.dropFirst(2), as: UTF8.self)
    switch String(decoding: bytes.prefix(1), as: UTF8.self) {
    case "f": self = .field(rest)
    case "v": self = .value(try Self.parsed(rest).normalizedNumber)
    case "k":
      guard let members = try Self.parsed(rest).object else { throw FieldSet.Failure(message: "expected object: \(text)") }
      self = .key(members.map { KeyMember($0.key, $0.value.normalizedNumber) }.sorted { $0.name.precedesInBytes($1.name) })
    case "i":
      guard let index = Int(rest) else { throw FieldSet.Failure(message: "invalid index: \(text)") }
      self = .index(index)
    default: return nil
    }
  }

  var fieldsV1: String {
    switch self {
    case .field(let name): "f:\(name)"
    case .key(let members): "k:\(JSONValue.object(JSONObject(members.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })).text)"
    case .value(let value): "v:\(value.text)"
    case .index(let index): "i:\(index)"
    }
  }

  private static func parsed(_ text: String) throws(FieldSet.Failure) -> JSONValue {
    do { return try JSONValue(parsing: text) } catch { throw FieldSet.Failure(message: "\(error)") }
  }
}
