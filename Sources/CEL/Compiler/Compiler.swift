internal import JSON

/// Resolves names, checks types and makes the nodes that evaluate, in one walk over the tree.
struct Compiler {
  struct Typed {
    let node: Node
    let type: CELType
  }

  struct Local {
    let name: String
    let slot: Int
    let type: CELType
    let lazy: Node?
  }

  let environment: CELEnvironment
  /// Without, types are looked at only at run time.
  let checks: Bool
  var unifier = Unifier()
  var scope: [Local] = []
  var slots = 0
  /// Names of variables the expression reads.
  private(set) var variables: Set<String> = []

  init(_ environment: CELEnvironment, checks: Bool) {
    self.environment = environment
    self.checks = checks
  }

  func fail(_ message: String, at offset: Int) -> CELError { CELError(.check, message, at: offset) }

  // MARK: Expressions

  mutating func compile(_ expr: Expr) throws(CELError) -> Typed {
    let offset = expr.offset
    switch expr.kind {
    case .constant(let value): return Typed(node: ConstantNode(value, offset: offset), type: value.type)
    case .ident, .select(_, _, optional: false):
      if let named = try named(expr) { return named }
      guard case .select(let operand, let field, _) = expr.kind else {
        let name = expr.qualifiedName ?? ""
        guard checks else { return Typed(node: VariableNode(name, offset: offset), type: .dyn) }
        throw undeclared(name, at: offset)
      }
      return try select(try compile(operand), field, .plain, at: offset)
    case .select(let operand, let field, optional: true): return try select(try compile(operand), field, .optional, at: offset)
    case .has(let operand, let field, _): return try select(try compile(operand), field, .test, at: offset)
    case .index(let operand, let index, let optional): return try self.index(operand, index, optional: optional, at: offset)
    case .unary(let symbol, let operand): return try unary(symbol, operand, at: offset)
    case .binary(let symbol, let left, let right): return try binary(symbol, left, right, at: offset)
    case .logical(let and, let operands):
      var nodes: [Node] = []
      for operand in operands {
        let typed = try compile(operand)
        try require(typed, .bool, and ? "_&&_" : "_||_", at: operand.offset)
        nodes.append(typed.node)
      }
      return Typed(node: LogicalNode(and: and, nodes, offset: offset), type: .bool)
    case .conditional(let condition, let yes, let no): return try conditional(condition, yes, no, at: offset)
    case .call(let name, let target, let arguments): return try call(name, target, arguments, at: offset)
    case .list(let elements): return try list(elements, at: offset)
    case .map(let entries): return try map(entries, at: offset)
    case .message(let name, let fields):
      guard environment.objectTypes.contains(where: { name == $0 || name.hasPrefix($0 + ".") }) else {
        throw fail("undeclared reference to '\(name)': message types are not supported", at: offset)
      }
      let entries = fields.map { (Expr(kind: .constant(.string($0.field)), offset: offset), $0.value, $0.optional) }
      return Typed(node: try map(entries, at: offset).node, type: .dyn)
    case .macro(let macro): return try self.macro(macro, at: offset)
    }
  }

  private func undeclared(_ name: String, at offset: Int) -> CELError {
    let near = environment.variables.keys.filter { editDistanceIsSmall($0, name) }.sorted()
    let hint = near.first.map { " (did you mean '\($0)'?)" } ?? ""
    return fail("undeclared reference to '\(name)'\(hint)", at: offset)
  }

  /// The types as they are known so far, for an error message.
  private func list(_ types: [CELType]) -> String { types.map { unifier.resolved($0, final: true).description }.joined(separator: ", ") }

  func noOverload(_ name: String, _ types: [CELType], member: Bool = false, at offset: Int) -> CELError {
    let applied = member ? "\(list(Array(types.prefix(1)))).(\(list(Array(types.dropFirst()))))" : "(\(list(types)))"
    return fail("found no matching overload for '\(name)' applied to '\(applied)'", at: offset)
  }

  private mutating func require(_ typed: Typed, _ type: CELType, _ name: String, at offset: Int) throws(CELError) {
    guard checks, !unifier.fit(typed.type, type) else { return }
    throw fail("expected type '\(type)' for \(name), found '\(unifier.resolved(typed.type, final: true))'", at: offset)
  }

  // MARK: Names

  /// A variable, a macro's variable, or a type; longest name first. nil when the whole chain is a selection on something that is no name.
  private mutating func named(_ expr: Expr) throws(CELError) -> Typed? {
    guard let name = expr.qualifiedName else { return nil }
    let absolute = name.hasPrefix(".")
    let plain = absolute ? String(name.dropFirst()) : name
    let parts = plain.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
    if !absolute, scope.contains(where: { $0.name == parts[0] }) {
      guard case .ident = expr.kind else { return nil }
      let local = scope.last { $0.name == parts[0] }!
      return Typed(node: LocalNode(slot: local.slot, lazy: local.lazy, offset: expr.offset), type: local.type)
    }
    for candidate in environment.candidates(plain, absolute: absolute) {
      if let type = environment.variables[candidate] {
        variables.insert(candidate)
        let node = VariableNode(candidate, offset: expr.offset)
        return Typed(node: type.needsCoercion ? CoerceNode(node, type, offset: expr.offset) : node, type: type)
      }
      if let type = environment.typeNames[candidate] {
        return Typed(node: ConstantNode(.type(type), offset: expr.offset), type: .type)
      }
    }
    return nil
  }

  // MARK: Access

  private mutating func select(_ operand: Typed, _ name: String, _ mode: SelectNode.Mode, at offset: Int) throws(CELError) -> Typed {
    var field = name
    var type = unifier.resolved(operand.type)
    var optional = mode == .optional
    if case .optional(let wrapped) = type {
      type = wrapped
      optional = true
    }
    if case .nullable(let wrapped) = type { type = wrapped }
    var result = CELType.dyn
    switch type {
    case .dyn, .parameter: break
    case .map(let key, let value):
      if checks, !unifier.fit(.string, key) { throw fail("type '\(type)' has no member '\(field)'", at: offset) }
      result = value
    case .object(let schema):
      if let known = schema.field(field) {
        result = known.type
        field = known.name
      } else if checks {
        let near = schema.fields.keys.filter { editDistanceIsSmall($0, field) }.sorted()
        throw fail("undefined field '\(field)' of '\(schema.name)'\(near.first.map { " (did you mean '\($0)'?)" } ?? "")", at: offset)
      }
    default:
      if checks { throw fail("type '\(unifier.resolved(type, final: true))' does not support field selection", at: offset) }
    }
    var node: Node
    switch operand.node {
    case let variable as VariableNode where mode == .plain: node = PathNode(variable, field, offset: offset)
    case let path as PathNode where mode == .plain: node = PathNode(path, field, offset: offset)
    default: node = SelectNode(operand.node, field, mode, offset: offset)
    }
    if mode == .test { return Typed(node: node, type: .bool) }
    if optional, case .optional = result {} else if optional { result = .optional(result) }
    if case .object = type, result.needsCoercion { node = CoerceNode(node, result, offset: offset) }
    return Typed(node: node, type: result)
  }

  private mutating func index(_ operand: Expr, _ index: Expr, optional: Bool, at offset: Int) throws(CELError) -> Typed {
    let target = try compile(operand)
    let key = try compile(index)
    let node = IndexNode(target.node, key.node, optional: optional, offset: offset)
    var type = unifier.resolved(target.type)
    if case .nullable(let wrapped) = type { type = wrapped }
    var result: CELType
    if case .object(let schema) = type, case .constant(let value) = index.kind, let name = value.string {
      guard let known = schema.field(name)?.type else {
        if checks { throw fail("undefined field '\(name)' of '\(schema.name)'", at: offset) }
        return Typed(node: node, type: .dyn)
      }
      result = known
      if result.needsCoercion {
        return Typed(
          node: CoerceNode(node, optional ? .optional(result) : result, offset: offset), type: optional ? .optional(result) : result)
      }
    } else if case .object = type {
      result = .dyn
    } else {
      result = try overload(optional ? "_[?_]" : "_[_]", Operators.index, type, key.type, at: offset)
    }
    if optional, case .optional = result {} else if optional { result = .optional(result) }
    return Typed(node: node, type: result)
  }

  // MARK: Operators

  /// The result type of a binary operation; `dyn` when several results are possible.
  private mutating func overload(_ name: String, _ overloads: [(CELType, CELType, CELType)], _ a: CELType, _ b: CELType, at offset: Int)
    throws(CELError)
    -> CELType
  {
    guard checks else { return .dyn }
    var found: CELType?
    for (first, second, result) in overloads {
      var names: [String: CELType] = [:]
      let parameters = [unifier.instance(first, &names), unifier.instance(second, &names)]
      let type = unifier.instance(result, &names)
      guard unifier.fit([a, b], parameters) else { continue }
      let resolved = unifier.resolved(type)
      if let previous = found, previous != resolved { found = .dyn } else { found = resolved }
    }
    guard let found else { throw noOverload(name, [a, b], at: offset) }
    return found
  }

  private mutating func unary(_ symbol: String, _ operand: Expr, at offset: Int) throws(CELError) -> Typed {
    let typed = try compile(operand)
    if symbol == "!" {
      if checks, !unifier.fit(typed.type, .bool) { throw noOverload("!_", [typed.type], at: offset) }
      return Typed(node: NotNode(typed.node, offset: offset), type: .bool)
    }
    var type = CELType.dyn
    if checks {
      switch unifier.resolved(typed.type) {
      case .int, .nullable(.int): type = .int
      case .double, .nullable(.double): type = .double
      case .dyn, .parameter: break
      default: throw noOverload("-_", [typed.type], at: offset)
      }
    }
    return Typed(node: NegateNode(typed.node, offset: offset), type: type)
  }

  private mutating func binary(_ symbol: String, _ left: Expr, _ right: Expr, at offset: Int) throws(CELError) -> Typed {
    let a = try compile(left)
    let b = try compile(right)
    let name = Operators.name(symbol)
    switch symbol {
    case "==", "!=":
      let type = try overload(name, Operators.equality, a.type, b.type, at: offset)
      return Typed(node: EqualNode(a.node, b.node, negated: symbol == "!=", offset: offset), type: checks ? type : .bool)
    case "<", "<=", ">", ">=":
      let type: CELType
      if case .abstract(let name, _) = unifier.resolved(a.type), environment.ordered.contains(name) {
        type = try overload(Operators.name(symbol), [(.abstract(name), .abstract(name), .bool)], a.type, b.type, at: offset)
      } else {
        type = try overload(name, Operators.comparison, a.type, b.type, at: offset)
      }
      return Typed(node: CompareNode(a.node, b.node, symbol: symbol, offset: offset), type: checks ? type : .bool)
    case "in":
      let type = try overload(name, Operators.membership, a.type, membershipType(b.type), at: offset)
      return Typed(node: InNode(a.node, b.node, offset: offset), type: checks ? type : .bool)
    default:
      let type = try overload(name, Operators.arithmetic[symbol]!, a.type, b.type, at: offset)
      return Typed(node: ArithmeticNode(a.node, b.node, Arithmetic(rawValue: symbol)!, offset: offset), type: type)
    }
  }

  private func membershipType(_ type: CELType) -> CELType {
    switch unifier.resolved(type) {
    case .nullable(let wrapped): membershipType(wrapped)
    case .object: .map(.string, .dyn)
    case let other: other
    }
  }

  private mutating func conditional(_ condition: Expr, _ yes: Expr, _ no: Expr, at offset: Int) throws(CELError) -> Typed {
    let test = try compile(condition)
    let a = try compile(yes)
    let b = try compile(no)
    var type = CELType.dyn
    if checks {
      let result = unifier.fresh()
      guard unifier.fit([test.type, a.type, b.type], [.bool, result, result]) else {
        throw noOverload("_?_:_", [test.type, a.type, b.type], at: offset)
      }
      type = unifier.resolved(result)
    }
    return Typed(node: ConditionalNode(test.node, a.node, b.node, offset: offset), type: type)
  }

  // MARK: Containers

  private mutating func list(_ elements: [(value: Expr, optional: Bool)], at offset: Int) throws(CELError) -> Typed {
    var nodes: [Node] = []
    var optionals: Set<Int> = []
    var type: CELType?
    for (i, (element, optional)) in elements.enumerated() {
      let typed = try compile(element)
      nodes.append(typed.node)
      if optional { optionals.insert(i) }
      type = unifier.join(type, optional ? try unwrapped(typed, at: element.offset) : typed.type)
    }
    return Typed(node: ListNode(nodes, optionals: optionals, offset: offset), type: .list(type ?? unifier.fresh()))
  }

  private mutating func map(_ entries: [(key: Expr, value: Expr, optional: Bool)], at offset: Int) throws(CELError) -> Typed {
    var nodes: [(key: Node, value: Node, optional: Bool)] = []
    var keyType: CELType?
    var valueType: CELType?
    for (key, value, optional) in entries {
      let typedKey = try compile(key)
      let typed = try compile(value)
      nodes.append((typedKey.node, typed.node, optional))
      keyType = unifier.join(keyType, typedKey.type)
      valueType = unifier.join(valueType, optional ? try unwrapped(typed, at: value.offset) : typed.type)
    }
    return Typed(node: MapNode(nodes, offset: offset), type: .map(keyType ?? unifier.fresh(), valueType ?? unifier.fresh()))
  }

  private mutating func unwrapped(_ typed: Typed, at offset: Int) throws(CELError) -> CELType {
    let inner = unifier.fresh()
    guard unifier.fit(typed.type, .optional(inner)) else {
      if checks { throw fail("expected an optional value after '?', found '\(unifier.resolved(typed.type, final: true))'", at: offset) }
      return .dyn
    }
    return unifier.resolved(inner)
  }
}

/// One letter wrong, missing, too many, or two swapped.
func editDistanceIsSmall(_ a: String, _ b: String) -> Bool {
  let x = Array(a.lowercased().utf8)
  let y = Array(b.lowercased().utf8)
  guard abs(x.count - y.count) <= 2, x.count > 2, y.count > 2 else { return x == y }
  var previous = Array(0...y.count)
  for i in x.indices {
    var current = [i + 1]
    for j in y.indices { current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x[i] == y[j] ? 0 : 1))) }
    previous = current
  }
  return previous[y.count] <= min(2, max(1, x.count / 3))
}
