internal import JSON
internal import OrderedCollections

extension CELType {
  /// Whether JSON of this declared type is not already its CEL value.
  var needsCoercion: Bool {
    switch self {
    case .double, .uint, .bytes, .timestamp, .duration: true
    case .list(let element), .map(_, let element), .nullable(let element), .optional(let element): element.needsCoercion
    default: false
    }
  }
}

/// Values that are of the type already stay as they are.
func coerce(_ value: CELValue, to type: CELType) throws(CELError) -> CELValue {
  switch (type, value) {
  case (.nullable, .null): return value
  case (.nullable(let wrapped), _): return try coerce(value, to: wrapped)
  case (.optional(let wrapped), .optional(let inner)):
    guard let inner else { return value }
    return .optional(try coerce(inner, to: wrapped))
  case (.double, .int(let int)): return .double(Double(int))
  case (.uint, .int(let int)) where int >= 0: return .uint(UInt64(int))
  case (.timestamp, .json), (.timestamp, .string):
    guard let text = value.string else { return value }
    guard let time = CELTimestamp(parsing: text) else { throw CELError("'\(text)' is declared a date-time and is none") }
    return .timestamp(time)
  case (.duration, .json), (.duration, .string):
    guard let text = value.string else { return value }
    guard let span = CELDuration(parsing: text) else { throw CELError("'\(text)' is declared a duration and is none") }
    return .duration(span)
  case (.bytes, .json), (.bytes, .string):
    guard let text = value.string else { return value }
    guard let bytes = Base64.decode(text) else { throw CELError("a text is declared base64 and is not") }
    return .bytes(bytes)
  case (.list(let element), _) where element.needsCoercion:
    guard value.isList else { return value }
    var out: [CELValue] = []
    var iterator = ElementIterator(value)
    while let next = iterator.next() { out.append(try coerce(next, to: element)) }
    return .list(out)
  case (.map(_, let element), _) where element.needsCoercion:
    guard value.isMap else { return value }
    var entries = map(value).entries
    for i in entries.values.indices { entries.values[i] = try coerce(entries.values[i], to: element) }
    return .map(CELMap(entries))
  default: return value
  }
}
