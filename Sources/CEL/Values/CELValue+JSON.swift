public import JSON
internal import OrderedCollections

extension CELValue {
  /// The value as JSON: ints stay ints (an uint above 2^63 becomes a double), timestamps are RFC 3339, durations `3.5s`, bytes base64, types their
  /// names; entries and elements that are absent optionals are left out.
  ///
  /// - Throws: ``CELError`` for an absent optional, for an infinite or undefined number, and for opaque values without JSON.
  public func json() throws(CELError) -> JSONValue {
    guard let value = try jsonIfPresent() else { throw CELError("the value is an absent optional") }
    return value
  }

  /// nil for an absent optional.
  func jsonIfPresent() throws(CELError) -> JSONValue? {
    switch self {
    case .null: return .null
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .uint(let value): return Int64(exactly: value).map { .int($0) } ?? .double(Double(value))
    case .double(let value):
      guard value.isFinite else { throw CELError("\(value) has no JSON form") }
      return .double(value)
    case .string(let value): return .string(value)
    case .bytes(let value): return .string(Base64.encode(value))
    case .json(let view): return view.value
    case .timestamp(let value): return .string(value.text)
    case .duration(let value): return .string(value.text)
    case .type(let type): return .string(type.name)
    case .optional(let inner): return try inner?.jsonIfPresent()
    case .opaque(let value):
      guard let json = value.json else { throw CELError("a value of type '\(value.typeName)' has no JSON form") }
      return json
    case .list(let elements):
      var out: [JSONValue] = []
      out.reserveCapacity(elements.count)
      for element in elements { if let json = try element.jsonIfPresent() { out.append(json) } }
      return .array(out)
    case .map(let map):
      var out = JSONObject(minimumCapacity: map.entries.count)
      for (key, entry) in map.entries {
        guard let json = try entry.jsonIfPresent() else { continue }
        switch key {
        case .string(let name): out[name] = json
        case .bool(let value): out[String(value)] = json
        case .int(let value): out[String(value)] = json
        case .uint(let value): out[String(value)] = json
        }
      }
      return .object(out)
    }
  }

  /// As ``json()``, without making values of it.
  func write(to writer: inout JSONWriter) throws(CELError) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .int(let value): writer.int(value)
    case .string(let value): writer.string(value)
    case .json(let view):
      guard view.kind == .string else { return writer.raw(view.rawBytes) }
      writer.raw(view.quotedBytes)
    default: writer.value(try json())
    }
  }
}

extension JSONView {
  /// A string's own text with its quotes.
  fileprivate var quotedBytes: UnsafeBufferPointer<UInt8> {
    let raw = rawBytes
    return UnsafeBufferPointer(start: raw.baseAddress! - 1, count: raw.count + 2)
  }
}
