public import JSON
internal import OrderedCollections

/// A JSON tree whose strings hold `${ expression }`, compiled as a whole.
///
/// A string that is one whole expression takes the expression's value with its type; in a string with other text around, values are written as
/// `string()` would (null as nothing). An absent optional drops the member or element it stands for. `$${` is a literal `${`. Member names are literal.
public struct CELTemplate: Sendable {
  private indirect enum Piece: Sendable {
    case constant(JSONValue)
    case expression(CELProgram, path: String)
    case text([Part], path: String)
    case array([Piece])
    case object([(name: String, value: Piece)])
  }

  private enum Part: Sendable {
    case literal(String)
    case expression(CELProgram)
  }

  private let root: Piece

  /// - Throws: ``CELError`` with ``CELError/path`` of the offending string.
  public init(_ tree: JSONValue, environment: CELEnvironment) throws(CELError) {
    root = try Self.compile(tree, path: "$", environment)
  }

  /// - Parameter costLimit: for all of the expressions together; ``CELProgram/defaultCostLimit`` when nil.
  /// - Throws: ``CELError`` with ``CELError/path`` of the string whose expression failed.
  public func evaluate(_ variables: CELVariables, costLimit: UInt64? = nil) throws(CELError) -> JSONValue {
    var cost: UInt64 = 0
    guard let value = try evaluate(root, variables, costLimit ?? CELProgram.defaultCostLimit, &cost) else {
      throw CELError("the value is an absent optional").inside(path: "$")
    }
    return value
  }

  /// The names of the variables that the expressions read.
  public var variables: Set<String> {
    var names: Set<String> = []
    func walk(_ piece: Piece) {
      switch piece {
      case .constant: break
      case .expression(let program, _): names.formUnion(program.variables)
      case .text(let parts, _): for case .expression(let program) in parts { names.formUnion(program.variables) }
      case .array(let pieces): pieces.forEach(walk)
      case .object(let members): members.forEach { walk($0.value) }
      }
    }
    walk(root)
    return names
  }

  // MARK: Compiling

  private static func compile(_ tree: JSONValue, path: String, _ environment: CELEnvironment) throws(CELError) -> Piece {
    switch tree {
    case .string(let text):
      do throws(CELError) { return try compile(text: text, path: path, environment) } catch {
        throw error.located(in: text).inside(path: path)
      }
    case .array(let elements):
      var pieces: [Piece] = []
      for (i, element) in elements.enumerated() { pieces.append(try compile(element, path: "\(path)[\(i)]", environment)) }
      return isConstant(pieces) ? .constant(tree) : .array(pieces)
    case .object(let members):
      var pieces: [(name: String, value: Piece)] = []
      for (name, member) in members { pieces.append((name, try compile(member, path: path + step(name), environment))) }
      return isConstant(pieces.map(\.value)) ? .constant(tree) : .object(pieces)
    default: return .constant(tree)
    }
  }

  private static func isConstant(_ pieces: [Piece]) -> Bool {
    pieces.allSatisfy { if case .constant = $0 { true } else { false } }
  }

  private static func step(_ name: String) -> String {
    let plain = name.utf8.allSatisfy { $0 == 0x5F || $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 }
    return plain && !name.isEmpty ? "." + name : "[\(JSONValue.string(name).text)]"
  }

  private static func compile(text: String, path: String, _ environment: CELEnvironment) throws(CELError) -> Piece {
    let bytes = Array(text.utf8)
    var parts: [Part] = []
    var literal: [UInt8] = []
    func flush() {
      if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
      literal = []
    }
    var at = 0
    while at < bytes.count {
      if bytes[at] == 0x24, at + 2 < bytes.count, bytes[at + 1] == 0x24, bytes[at + 2] == 0x7B {
        literal += [0x24, 0x7B]
        at += 3
      } else if bytes[at] == 0x24, at + 1 < bytes.count, bytes[at + 1] == 0x7B {
        flush()
        let (expr, end) = try Parser.parse(template: bytes, from: at + 2)
        parts.append(.expression(try CELProgram(expr, source: text, environment: environment, checked: true)))
        at = end
      } else {
        literal.append(bytes[at])
        at += 1
      }
    }
    flush()
    if parts.count == 1, case .expression(let program) = parts[0] { return .expression(program, path: path) }
    if parts.allSatisfy({ if case .literal = $0 { true } else { false } }) {
      return .constant(.string(parts.map { if case .literal(let text) = $0 { text } else { "" } }.joined()))
    }
    return .text(parts, path: path)
  }

  // MARK: Evaluating

  private func evaluate(_ piece: Piece, _ variables: CELVariables, _ limit: UInt64, _ cost: inout UInt64) throws(CELError) -> JSONValue? {
    switch piece {
    case .constant(let value): return value
    case .expression(let program, let path):
      do throws(CELError) { return try program.evaluate(variables, costLimit: limit - min(cost, limit), cost: &cost).jsonIfPresent() } catch
      {
        throw error.inside(path: path)
      }
    case .text(let parts, let path):
      var out = ""
      for part in parts {
        switch part {
        case .literal(let text): out += text
        case .expression(let program):
          do throws(CELError) { out += try text(try program.evaluate(variables, costLimit: limit - min(cost, limit), cost: &cost)) } catch {
            throw error.inside(path: path)
          }
        }
        guard out.utf8.count <= maximumTextBytes else { throw CELError("the text is longer than allowed").inside(path: path) }
      }
      return .string(out)
    case .array(let pieces):
      var out: [JSONValue] = []
      for piece in pieces { if let value = try evaluate(piece, variables, limit, &cost) { out.append(value) } }
      return .array(out)
    case .object(let members):
      var out = JSONObject(minimumCapacity: members.count)
      for (name, piece) in members { if let value = try evaluate(piece, variables, limit, &cost) { out[name] = value } }
      return .object(out)
    }
  }

  /// What stands in a text for a value: nothing for null and for an absent optional.
  private func text(_ value: CELValue) throws(CELError) -> String {
    switch value {
    case .null, .optional(nil): return ""
    case .optional(let inner?): return try text(inner)
    default: return try Conversions.string(value)
    }
  }
}
