internal import CEL
internal import JSON
internal import OrderedCollections

/// A value of the file in which expressions may stand, compiled.
struct ValueTemplate: Sendable {
  indirect enum Form: Sendable {
    case constant(CELValue)
    /// A text that is one whole expression keeps the expression's type.
    case program(CELProgram)
    case text([Piece])
    case list([ValueTemplate])
    case map([(name: String, value: ValueTemplate)])
  }

  enum Piece: Sendable {
    case literal(String)
    case program(CELProgram)
  }

  var form: Form
  var place: Place

  /// What an expression may cost: far more than any mapping needs, and still milliseconds.
  static let costLimit: UInt64 = 10_000_000

  /// The value; nil for an optional without value, which drops the member or element that holds it.
  func evaluate(_ variables: CELVariables) throws(ExpressionFailure) -> CELValue? {
    switch form {
    case .constant(let value): return value
    case .program(let program):
      let value = try run(program, variables)
      if case .optional(let inner) = value { return inner }
      return value
    case .text(let pieces):
      var out = ""
      for piece in pieces {
        switch piece {
        case .literal(let text): out += text
        case .program(let program): out += try text(of: try run(program, variables))
        }
      }
      return .string(out)
    case .list(let elements):
      var values: [CELValue] = []
      for element in elements { if let value = try element.evaluate(variables) { values.append(value) } }
      return .list(values)
    case .map(let members):
      var entries = CELMap.Entries(minimumCapacity: members.count)
      for (name, member) in members { if let value = try member.evaluate(variables) { entries[.string(name)] = value } }
      return .map(CELMap(entries))
    }
  }

  /// As ``evaluate(_:)``, as JSON of its own; null and "no value" are both nil.
  func json(_ variables: CELVariables) throws(ExpressionFailure) -> JSONValue? {
    guard let value = try evaluate(variables), !value.isNothing else { return nil }
    return try json(of: value)
  }

  /// A text; nil for null, "no value" and the empty text. Numbers and booleans become their spelling.
  func text(_ variables: CELVariables) throws(ExpressionFailure) -> String? {
    guard let value = try evaluate(variables), !value.isNothing else { return nil }
    let text = try text(of: value)
    return text.isEmpty ? nil : text
  }

  /// A condition: null and "no value" are false.
  func flag(_ variables: CELVariables) throws(ExpressionFailure) -> Bool {
    guard let value = try evaluate(variables), !value.isNothing else { return false }
    guard let flag = value.bool else { throw failure("must be true or false, but is \(article(value.kindName))") }
    return flag
  }

  func int(_ variables: CELVariables) throws(ExpressionFailure) -> Int64? {
    guard let value = try evaluate(variables), !value.isNothing else { return nil }
    switch value {
    case .int(let int): return int
    case .uint(let uint): return Int64(clamping: uint)
    case .double(let double) where double == double.rounded() && abs(double) < 9e15: return Int64(double)
    default: throw failure("must be a whole number, but is \(article(value.kindName))")
    }
  }

  /// A moment: RFC 3339 text or a CEL timestamp; nil for null, "no value" and the empty text.
  func time(_ variables: CELVariables) throws(ExpressionFailure) -> Timestamp? {
    guard let value = try evaluate(variables), !value.isNothing else { return nil }
    if case .timestamp(let time) = value { return Timestamp(microseconds: time.seconds * 1_000_000 + Int64(time.nanoseconds) / 1000) }
    guard let text = value.string else {
      throw failure(
        "must be a time in RFC 3339, but is \(article(value.kindName)); fromEpoch() and fromEpochMillis() make one out of a number")
    }
    if text.isEmpty { return nil }
    guard let time = Timestamp(text) else { throw failure("is not a time in RFC 3339: '\(text.prefix(60))'") }
    return time
  }

  /// The elements of a list, undecoded where they came as JSON; empty for null and "no value".
  func rows(_ variables: CELVariables) throws(ExpressionFailure) -> [CELValue] {
    guard let value = try evaluate(variables), !value.isNothing else { return [] }
    guard let elements = value.elements else { throw failure("must be a list, but is \(article(value.kindName))") }
    return elements
  }

  /// A map of texts; entries without value or with an empty text are left out.
  func texts(_ variables: CELVariables) throws(ExpressionFailure) -> [String: String] {
    guard let value = try evaluate(variables), !value.isNothing else { return [:] }
    guard let entries = value.entries else { throw failure("must be a map, but is \(article(value.kindName))") }
    var texts: [String: String] = [:]
    for (key, value) in entries where !value.isNothing {
      guard let name = key.value.string else { throw failure("must have texts as keys") }
      let text = try text(of: value)
      if !text.isEmpty { texts[name] = text }
    }
    return texts
  }

  func failure(_ message: String) -> ExpressionFailure { ExpressionFailure(place: place, message: message) }

  private func run(_ program: CELProgram, _ variables: CELVariables) throws(ExpressionFailure) -> CELValue {
    do throws(CELError) { return try program.evaluate(variables, costLimit: Self.costLimit) } catch { throw failure(error.message) }
  }

  private func json(of value: CELValue) throws(ExpressionFailure) -> JSONValue {
    do throws(CELError) { return try value.json() } catch { throw failure(error.message) }
  }

  private func text(of value: CELValue) throws(ExpressionFailure) -> String {
    switch value {
    case .string(let text): return text
    case .int(let int): return String(int)
    case .uint(let uint): return String(uint)
    case .bool(let bool): return bool ? "true" : "false"
    case .double(let double):
      return double == double.rounded() && abs(double) < 1e15 ? String(Int64(double)) : double.description
    case .timestamp, .duration:
      let json = try json(of: value)
      if let text = json.string { return text }
      throw failure("cannot stand in a text")
    case .json(let view):
      if let text = view.string { return text }
      throw failure("must be a text, but is \(article(value.kindName))")
    case .optional(let inner?): return try text(of: inner)
    default: throw failure("must be a text, but is \(article(value.kindName))")
    }
  }
}

/// An expression of the file that could not be evaluated, or gave something else than its field needs.
struct ExpressionFailure: Error, Sendable, CustomStringConvertible {
  var place: Place
  var message: String
  var description: String { "\(place): \(message)" }
}

extension CELValue {
  /// null, or an optional without value.
  var isNothing: Bool {
    switch self {
    case .null: true
    case .optional(let inner): inner?.isNothing ?? true
    case .json(let view): view.kind == .null
    default: false
    }
  }

  var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .int, .uint: "integer"
    case .double: "number"
    case .string: "string"
    case .bytes: "byte string"
    case .timestamp: "timestamp"
    case .duration: "duration"
    default: isList ? "list" : isMap ? "map" : string != nil ? "string" : "value"
    }
  }
}
