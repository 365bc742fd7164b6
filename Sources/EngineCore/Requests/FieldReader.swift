internal import JSON
internal import OrderedCollections

/// Reads the members of an object strictly: a wrong type is an error with the field's path, and so is a member that nobody asked for.
struct FieldReader {
  private let view: JSONView
  private let path: String
  private var known: Set<String> = []

  /// - Throws: 422 when the value is no object.
  init(_ view: JSONView, path: String = "") throws(EngineError) {
    guard view.kind == .object else { throw .invalid(path.isEmpty ? "body" : path, "must be an object, not \(view.kind.rawValue)") }
    self.view = view
    self.path = path
  }

  func path(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// The member; nil when absent or null.
  mutating func value(_ name: String) -> JSONView? {
    known.insert(name)
    return view[name].flatMap { $0.isNull ? nil : $0 }
  }

  /// The member, null included; nil when absent.
  mutating func valueOrNull(_ name: String) -> JSONView? {
    known.insert(name)
    return view[name]
  }

  mutating func string(_ name: String, maximum: Int = 4096) throws(EngineError) -> String? {
    guard let value = value(name) else { return nil }
    return try Self.string(value, path(name), maximum: maximum)
  }

  mutating func bool(_ name: String) throws(EngineError) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let bool = value.bool else { throw .invalid(path(name), "must be true or false, not \(value.kind.rawValue)") }
    return bool
  }

  mutating func int(_ name: String, in range: ClosedRange<Int64>) throws(EngineError) -> Int64? {
    guard let value = value(name) else { return nil }
    guard let int = value.int, range.contains(int) else {
      throw .invalid(path(name), "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return int
  }

  mutating func strings(_ name: String) throws(EngineError) -> [String] {
    guard let value = value(name) else { return [] }
    guard value.kind == .array else { throw .invalid(path(name), "must be an array of strings, not \(value.kind.rawValue)") }
    var strings: [String] = []
    for element in value.elements { strings.append(try Self.string(element, "\(path(name))[\(strings.count)]", maximum: 1 << 20)) }
    return strings
  }

  mutating func map(_ name: String) throws(EngineError) -> OrderedDictionary<String, String> {
    guard let value = value(name) else { return [:] }
    guard value.kind == .object else { throw .invalid(path(name), "must be an object of strings, not \(value.kind.rawValue)") }
    var map: OrderedDictionary<String, String> = [:]
    for (key, member) in value.members { map[key] = try Self.string(member, "\(path(name)).\(key)", maximum: ObjectPatch.maximumBytes) }
    return map
  }

  mutating func object(_ name: String) throws(EngineError) -> JSONObject? {
    guard let value = value(name) else { return nil }
    guard let object = value.value.object else { throw .invalid(path(name), "must be an object, not \(value.kind.rawValue)") }
    return object
  }

  /// Any JSON, byte for byte.
  mutating func document(_ name: String) throws(EngineError) -> RawJSON? {
    guard let value = value(name) else { return nil }
    guard value.rawBytes.count <= ObjectPatch.maximumBytes else {
      throw .invalid(path(name), "has \(value.rawBytes.count) bytes, more than \(ObjectPatch.maximumBytes)")
    }
    // A string's raw bytes come without its quotes.
    return RawJSON(bytes: value.kind == .string ? [0x22] + value.rawBytes + [0x22] : Array(value.rawBytes))
  }

  /// - Throws: 422 naming all members that were not asked for.
  func finish() throws(EngineError) {
    let unknown = view.members.map(\.name).filter { !known.contains($0) }
    guard let first = unknown.first else { return }
    let names = unknown.map { path($0) }.joined(separator: ", ")
    throw EngineError(
      status: 422, code: "unknownField", message: "unknown field\(unknown.count == 1 ? "" : "s"): \(names)", field: path(first))
  }

  private static func string(_ value: JSONView, _ path: String, maximum: Int) throws(EngineError) -> String {
    guard let string = value.string else { throw .invalid(path, "must be a string, not \(value.kind.rawValue)") }
    guard string.utf8.count <= maximum else { throw .invalid(path, "is longer than \(maximum) bytes") }
    guard !string.utf8.contains(0) else { throw .invalid(path, "holds a NUL") }
    return string
  }
}
