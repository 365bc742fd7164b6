/// Reads one expression; see langdef.md of google/cel-spec for the grammar.
struct Parser {
  /// What a parser accepts before it gives up. The depth bounds the stack of everything that walks the tree.
  struct Limits {
    var maximumDepth = 200
    var maximumBytes = 256 << 10
  }

  /// `cel.block`, `cel.index`, `cel.iterVar` and `cel.accuVar`, which optimisers make.
  let blocks: Bool
  private var lexer: Lexer
  private var token: Token
  private var depth = 0
  private let limits = Limits()

  static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
    "void",
    "while",
  ]

  init(_ source: [UInt8], from start: Int = 0, blocks: Bool = false) throws(CELError) {
    guard source.count <= limits.maximumBytes else {
      throw CELError(.parse, "the expression has \(source.count) bytes, more than the limit of \(limits.maximumBytes)", at: 0)
    }
    self.blocks = blocks
    lexer = Lexer(source, from: start)
    token = try lexer.next()
  }

  /// The whole source as one expression.
  static func parse(_ source: String, blocks: Bool = false) throws(CELError) -> Expr {
    var parser = try Parser(Array(source.utf8), blocks: blocks)
    let expr = try parser.expression()
    guard parser.token.kind == .end else { throw parser.expected("an operator or the end of the expression") }
    return expr
  }

  /// One expression and the offset after the `}` that must follow it.
  static func parse(template source: [UInt8], from start: Int) throws(CELError) -> (Expr, end: Int) {
    var parser = try Parser(source, from: start)
    let expr = try parser.expression()
    guard parser.isSymbol("}") else { throw parser.expected("an operator or '}'") }
    return (expr, parser.token.end)
  }

  // MARK: Tokens

  private mutating func advance() throws(CELError) {
    token = try lexer.next()
  }

  private func isSymbol(_ symbol: String) -> Bool {
    if case .symbol(let found) = token.kind { found == symbol } else { false }
  }

  private mutating func accept(_ symbol: String) throws(CELError) -> Bool {
    guard isSymbol(symbol) else { return false }
    try advance()
    return true
  }

  private mutating func expect(_ symbol: String) throws(CELError) {
    guard try accept(symbol) else { throw expected("'\(symbol)'") }
  }

  private func expected(_ what: String) -> CELError { CELError(.parse, "expected \(what), found \(token.text)", at: token.offset) }

  private mutating func deeper<R>(_ body: (inout Parser) throws(CELError) -> R) throws(CELError) -> R {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.maximumDepth else {
      throw CELError(.parse, "more than \(limits.maximumDepth) expressions inside each other", at: token.offset)
    }
    return try body(&self)
  }

  // MARK: Expressions

  private mutating func expression() throws(CELError) -> Expr {
    try deeper { parser throws(CELError) in
      let condition = try parser.binary(0)
      guard parser.isSymbol("?") else { return condition }
      let offset = parser.token.offset
      try parser.advance()
      let yes = try parser.binary(0)
      try parser.expect(":")
      let no = try parser.expression()
      return Expr(kind: .conditional(condition, yes, no), offset: offset)
    }
  }

  private func level(_ symbol: String) -> Int? {
    switch symbol {
    case "||": 0
    case "&&": 1
    case "==", "!=", "<", "<=", ">", ">=", "in": 2
    case "+", "-": 3
    case "*", "/", "%": 4
    default: nil
    }
  }

  /// Operators of at least that level, left to right.
  private mutating func binary(_ minimum: Int) throws(CELError) -> Expr {
    var left = try unary()
    var links = 0
    while case .symbol(let symbol) = token.kind, let level = level(symbol), level >= minimum {
      let offset = token.offset
      try advance()
      let right = try binary(level + 1)
      if level < 2 {
        // A chain is one flat node, so that a long one is not a deep one.
        var operands = [left, right]
        while isSymbol(symbol) {
          try advance()
          operands.append(try binary(level + 1))
        }
        left = Expr(kind: .logical(and: level == 1, operands), offset: offset)
      } else {
        links += 1
        guard depth + links <= limits.maximumDepth else {
          throw CELError(.parse, "more than \(limits.maximumDepth) operators in a row", at: offset)
        }
        left = Expr(kind: .binary(symbol, left, right), offset: offset)
      }
    }
    return left
  }

  private mutating func unary() throws(CELError) -> Expr {
    guard case .symbol(let symbol) = token.kind, symbol == "!" || symbol == "-" else { return try member() }
    let offset = token.offset
    var count = 0
    while isSymbol(symbol) {
      count += 1
      try advance()
    }
    if symbol == "-", count == 1 {
      switch token.kind {
      case .int(let magnitude):
        guard let magnitude, magnitude <= 1 << 63 else { throw CELError(.parse, "the integer does not fit 64 bits", at: offset) }
        try advance()
        let value: Int64 = magnitude == 1 << 63 ? .min : -Int64(magnitude)
        return try postfix(Expr(kind: .constant(.int(value)), offset: offset))
      case .double(let value):
        try advance()
        return try postfix(Expr(kind: .constant(.double(-value)), offset: offset))
      default: break
      }
    }
    guard depth + count <= limits.maximumDepth else {
      throw CELError(.parse, "more than \(limits.maximumDepth) operators in a row", at: offset)
    }
    var expr = try deeper { parser throws(CELError) in try parser.member() }
    for _ in 0..<count { expr = Expr(kind: .unary(symbol, expr), offset: offset) }
    return expr
  }

  private mutating func member() throws(CELError) -> Expr {
    let primary = try primary()
    return try postfix(primary)
  }

  private mutating func postfix(_ primary: Expr) throws(CELError) -> Expr {
    var expr = primary
    var links = 0
    while case .symbol(let symbol) = token.kind, symbol == "." || symbol == "[" || symbol == "{" {
      links += 1
      guard depth + links <= limits.maximumDepth else {
        throw CELError(.parse, "more than \(limits.maximumDepth) members in a row", at: token.offset)
      }
      let offset = token.offset
      switch symbol {
      case ".":
        try advance()
        let optional = try accept("?")
        let place = token.offset
        switch token.kind {
        case .ident(let name):
          try advance()
          if !optional, isSymbol("(") {
            expr = try call(name, target: expr, at: place)
          } else {
            expr = Expr(kind: .select(expr, name, optional: optional), offset: place)
          }
        case .quoted(let name):
          try advance()
          expr = Expr(kind: .select(expr, name, optional: optional), offset: place)
        default: throw expected("a member's name after '.'")
        }
      case "[":
        try advance()
        let optional = try accept("?")
        let index = try expression()
        try expect("]")
        expr = Expr(kind: .index(expr, index, optional: optional), offset: offset)
      default:
        guard let name = expr.qualifiedName else { throw expected("an operator") }
        expr = try message(name, at: expr.offset)
      }
    }
    return expr
  }

  private mutating func primary() throws(CELError) -> Expr {
    let offset = token.offset
    func constant(_ value: CELValue) -> Expr { Expr(kind: .constant(value), offset: offset) }
    switch token.kind {
    case .int(let magnitude):
      guard let magnitude, let value = Int64(exactly: magnitude) else {
        throw CELError(.parse, "the integer does not fit 64 bits", at: offset)
      }
      try advance()
      return constant(.int(value))
    case .uint(let value):
      guard let value else { throw CELError(.parse, "the unsigned integer does not fit 64 bits", at: offset) }
      try advance()
      return constant(.uint(value))
    case .double(let value):
      try advance()
      return constant(.double(value))
    case .string(let value):
      try advance()
      return constant(.string(value))
    case .bytes(let value):
      try advance()
      return constant(.bytes(value))
    case .ident(let name): return try identifier(name, leadingDot: false, at: offset)
    case .symbol(let symbol):
      switch symbol {
      case "true", "false", "null":
        try advance()
        return constant(symbol == "null" ? .null : .bool(symbol == "true"))
      case "(":
        try advance()
        let inner = try expression()
        try expect(")")
        return inner
      case "[": return try list()
      case "{": return try map()
      case ".":
        try advance()
        guard case .ident(let name) = token.kind else { throw expected("a name after '.'") }
        return try identifier(name, leadingDot: true, at: offset)
      default: break
      }
    default: break
    }
    throw expected("an expression")
  }

  private mutating func identifier(_ name: String, leadingDot: Bool, at offset: Int) throws(CELError) -> Expr {
    guard !Self.reserved.contains(name) else { throw CELError(.parse, "'\(name)' is a reserved word", at: token.offset) }
    try advance()
    let full = leadingDot ? "." + name : name
    if isSymbol("(") { return try call(full, target: nil, at: offset) }
    return Expr(kind: .ident(full), offset: offset)
  }

  private mutating func list() throws(CELError) -> Expr {
    let offset = token.offset
    try advance()
    var elements: [(value: Expr, optional: Bool)] = []
    while !isSymbol("]") {
      let optional = try accept("?")
      elements.append((try expression(), optional))
      guard try accept(",") else { break }
    }
    guard try accept("]") else { throw expected("',' or ']'") }
    return Expr(kind: .list(elements), offset: offset)
  }

  private mutating func map() throws(CELError) -> Expr {
    let offset = token.offset
    try advance()
    var entries: [(key: Expr, value: Expr, optional: Bool)] = []
    while !isSymbol("}") {
      let optional = try accept("?")
      let key = try expression()
      try expect(":")
      entries.append((key, try expression(), optional))
      guard try accept(",") else { break }
    }
    guard try accept("}") else { throw expected("',' or '}'") }
    return Expr(kind: .map(entries), offset: offset)
  }

  private mutating func message(_ name: String, at offset: Int) throws(CELError) -> Expr {
    try advance()
    var fields: [(field: String, value: Expr, optional: Bool)] = []
    while !isSymbol("}") {
      let optional = try accept("?")
      let field: String
      switch token.kind {
      case .ident(let name), .quoted(let name): field = name
      default: throw expected("a field's name")
      }
      try advance()
      try expect(":")
      fields.append((field, try expression(), optional))
      guard try accept(",") else { break }
    }
    guard try accept("}") else { throw expected("',' or '}'") }
    return Expr(kind: .message(name, fields), offset: offset)
  }

  private mutating func call(_ name: String, target: Expr?, at offset: Int) throws(CELError) -> Expr {
    try expect("(")
    var arguments: [Expr] = []
    while !isSymbol(")") {
      arguments.append(try expression())
      guard try accept(",") else { break }
    }
    guard try accept(")") else { throw expected("',' or ')'") }
    if let macro = try expandMacro(name, target: target, arguments, at: offset, blocks: blocks) { return macro }
    return Expr(kind: .call(name, target: target, arguments), offset: offset)
  }
}

extension Expr {
  /// `a.b.c` for a chain of plain selections on a name; nil for anything else.
  var qualifiedName: String? {
    switch kind {
    case .ident(let name): return name
    case .select(let operand, let field, optional: false): return operand.qualifiedName.map { $0 + "." + field }
    default: return nil
    }
  }
}
