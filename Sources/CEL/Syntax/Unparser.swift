internal import JSON

/// Writes a tree as text that parses to the same tree, with no more parentheses than needed.
struct Unparser {
  private(set) var text = ""

  static func text(of expr: Expr) -> String {
    var unparser = Unparser()
    unparser.write(expr, above: 0)
    return unparser.text
  }

  /// How tightly an expression's outermost operation binds.
  private static func level(_ expr: Expr) -> Int {
    switch expr.kind {
    case .conditional: 1
    case .logical(let and, _): and ? 3 : 2
    case .binary(let symbol, _, _):
      switch symbol {
      case "+", "-": 5
      case "*", "/", "%": 6
      default: 4
      }
    case .unary: 7
    // A sign in front of a member or an index would be read as part of the number, but a minus before it as two.
    case .constant(.int(let value)): value < 0 ? 7 : 9
    case .constant(.double(let value)): value.sign == .minus ? 7 : 9
    default: 9
    }
  }

  /// In parentheses when it binds less than `minimum`.
  private mutating func write(_ expr: Expr, above minimum: Int) {
    if Self.level(expr) < minimum {
      text += "("
      write(expr)
      text += ")"
    } else {
      write(expr)
    }
  }

  private mutating func write(_ expr: Expr) {
    switch expr.kind {
    case .constant(let value): constant(value)
    case .ident(let name): self.name(name)
    case .select(let operand, let field, let optional): member(operand, field, optional)
    case .has(let operand, let field, let optional):
      text += "has("
      member(operand, field, optional)
      text += ")"
    case .index(let operand, let index, let optional):
      write(operand, above: 8)
      text += optional ? "[?" : "["
      write(index)
      text += "]"
    case .unary(let symbol, let operand):
      text += symbol
      // Signs in a row need no parentheses; a minus directly before a number would become part of it.
      if case .unary(symbol, _) = operand.kind { return write(operand) }
      let before = text
      text = ""
      write(operand, above: 8)
      if symbol == "-", text.utf8.first.map({ $0 &- 0x30 < 10 }) ?? false { text = "(\(text))" }
      text = before + text
    case .binary(let symbol, let left, let right):
      let level = Self.level(expr)
      write(left, above: level)
      text += " \(symbol) "
      write(right, above: level + 1)
    case .logical(let and, let operands):
      for (i, operand) in operands.enumerated() {
        if i > 0 { text += and ? " && " : " || " }
        write(operand, above: and ? 4 : 3)
      }
    case .conditional(let condition, let yes, let no):
      write(condition, above: 2)
      text += " ? "
      write(yes, above: 2)
      text += " : "
      write(no, above: 1)
    case .call(let name, let target, let arguments):
      if let target {
        write(target, above: 8)
        text += "."
      }
      text += name
      list(arguments.map { ($0, false) }, "(", ")")
    case .list(let elements): list(elements.map { ($0.value, $0.optional) }, "[", "]")
    case .map(let entries):
      text += "{"
      for (i, (key, value, optional)) in entries.enumerated() {
        if i > 0 { text += ", " }
        if optional { text += "?" }
        write(key)
        text += ": "
        write(value)
      }
      text += "}"
    case .message(let name, let fields):
      text += name + "{"
      for (i, (field, value, optional)) in fields.enumerated() {
        if i > 0 { text += ", " }
        text += (optional ? "?" : "") + quotedIfNeeded(field) + ": "
        write(value)
      }
      text += "}"
    case .macro(let macro): self.macro(macro)
    }
  }

  private mutating func member(_ operand: Expr, _ field: String, _ optional: Bool) {
    write(operand, above: 8)
    text += optional ? ".?" : "."
    text += quotedIfNeeded(field)
  }

  private func quotedIfNeeded(_ field: String) -> String {
    let plain =
      field.utf8.allSatisfy { $0 == 0x5F || $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 }
      && !(field.utf8.first.map { $0 &- 0x30 < 10 } ?? true)
      && !["true", "false", "null", "in"].contains(field)
    return plain ? field : "`\(field)`"
  }

  private mutating func list(_ elements: [(Expr, Bool)], _ open: String, _ close: String) {
    text += open
    for (i, (element, optional)) in elements.enumerated() {
      if i > 0 { text += ", " }
      if optional { text += "?" }
      write(element)
    }
    text += close
  }

  private mutating func macro(_ macro: Expr.Macro) {
    switch macro.kind {
    case .bind:
      text += "cel.bind("
      name(macro.variables[0])
      text += ", "
      write(macro.target)
      text += ", "
      write(macro.arguments[0])
      text += ")"
    case .block:
      text += "cel.block("
      write(macro.target)
      text += ", "
      write(macro.arguments[0])
      text += ")"
    default:
      write(macro.target, above: 8)
      text += ".\(macro.kind.rawValue)("
      for (i, variable) in macro.variables.enumerated() {
        if i > 0 { text += ", " }
        name(variable)
      }
      for argument in macro.arguments {
        text += ", "
        write(argument)
      }
      text += ")"
    }
  }

  /// The names that `cel.index` and the like stand for are written as those.
  private mutating func name(_ name: String) {
    if name.hasPrefix("@index") {
      text += "cel.index(\(name.dropFirst(6)))"
    } else if name.hasPrefix("@it:") || name.hasPrefix("@ac:") {
      let parts = name.split(separator: ":")
      text += "cel.\(name.hasPrefix("@it") ? "iterVar" : "accuVar")(\(parts[1]), \(parts[2]))"
    } else {
      text += name
    }
  }

  private mutating func constant(_ value: CELValue) {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += String(value)
    case .int(let value): text += String(value)
    case .uint(let value): text += "\(value)u"
    case .double(let value): text += double(value)
    case .string(let value): quoted(Array(value.utf8), bytes: false)
    case .bytes(let value):
      text += "b"
      quoted(value, bytes: true)
    default: text += value.debugText
    }
  }

  private func double(_ value: Double) -> String {
    // A literal too large for a double reads as infinity and is written as one.
    if value.isInfinite { return value < 0 ? "-1e999" : "1e999" }
    let text = value.description
    return text.contains(".") || text.contains("e") ? text : text + ".0"
  }

  private mutating func quoted(_ bytes: [UInt8], bytes isBytes: Bool) {
    var out: [UInt8] = [0x22]
    let hex = Array("0123456789abcdef".utf8)
    for byte in bytes {
      switch byte {
      case 0x22, 0x5C: out += [0x5C, byte]
      case 0x0A: out += Array("\\n".utf8)
      case 0x0D: out += Array("\\r".utf8)
      case 0x09: out += Array("\\t".utf8)
      case 0..<0x20, 0x7F: out += [0x5C, 0x78, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      case 0x80... where isBytes: out += [0x5C, 0x78, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
    out.append(0x22)
    text += String(decoding: out, as: UTF8.self)
  }
}
