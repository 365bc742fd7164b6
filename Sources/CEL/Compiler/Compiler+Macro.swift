extension Compiler {
  /// Names for the time of `body`.
  private mutating func with<R>(_ locals: [Local], _ body: (inout Compiler) throws(CELError) -> R) throws(CELError) -> R {
    let before = scope.count
    scope += locals
    defer { scope.removeSubrange(before...) }
    return try body(&self)
  }

  private mutating func slot() -> Int {
    slots += 1
    return slots - 1
  }

  private mutating func boolean(_ expr: Expr, _ what: String) throws(CELError) -> Node {
    let typed = try compile(expr)
    if checks, !unifier.fit(typed.type, .bool) {
      throw fail("expected type 'bool' for \(what), found '\(unifier.resolved(typed.type, final: true))'", at: expr.offset)
    }
    return typed.node
  }

  mutating func macro(_ macro: Expr.Macro, at offset: Int) throws(CELError) -> Typed {
    switch macro.kind {
    case .bind: return try bind(macro, at: offset)
    case .block: return try block(macro, at: offset)
    case .optMap, .optFlatMap: return try optionalMap(macro, at: offset)
    default: return try comprehension(macro, at: offset)
    }
  }

  private mutating func comprehension(_ macro: Expr.Macro, at offset: Int) throws(CELError) -> Typed {
    let range = try compile(macro.target)
    let (first, second) = try variableTypes(range.type, at: macro.target.offset)
    var locals: [Local] = []
    if macro.variables.count == 2 {
      locals.append(Local(name: macro.variables[0], slot: slot(), type: first, lazy: nil))
      locals.append(Local(name: macro.variables[1], slot: slot(), type: second, lazy: nil))
    } else {
      // One variable is the element of a list and the key of a map.
      let isMap: Bool
      switch unifier.resolved(range.type) {
      case .map, .object, .nullable(.map), .nullable(.object): isMap = true
      default: isMap = false
      }
      locals.append(Local(name: macro.variables[0], slot: slot(), type: isMap ? first : second, lazy: nil))
    }
    let slots = locals.map(\.slot)
    let arguments = macro.arguments
    return try with(locals) { compiler throws(CELError) in
      switch macro.kind {
      case .all, .exists, .existsOne, .existsOneCamel:
        let kind: QuantifierNode.Kind = macro.kind == .all ? .all : macro.kind == .exists ? .exists : .existsOne
        let predicate = try compiler.boolean(arguments[0], "the condition of \(macro.kind.rawValue)()")
        return Typed(node: QuantifierNode(kind, range: range.node, slots: slots, predicate: predicate, offset: offset), type: .bool)
      case .filter:
        let predicate = try compiler.boolean(arguments[0], "the condition of filter()")
        let node = ListTransformNode(range: range.node, slots: slots, predicate: predicate, transform: nil, offset: offset)
        return Typed(node: node, type: .list(locals[0].type))
      case .sortBy:
        let key = try compiler.compile(arguments[0])
        return Typed(node: SortByNode(range: range.node, slot: slots[0], key: key.node, offset: offset), type: .list(locals[0].type))
      case .map, .transformList:
        let predicate = arguments.count == 2 ? try compiler.boolean(arguments[0], "the condition of \(macro.kind.rawValue)()") : nil
        let transform = try compiler.compile(arguments[arguments.count - 1])
        let node = ListTransformNode(range: range.node, slots: slots, predicate: predicate, transform: transform.node, offset: offset)
        return Typed(node: node, type: .list(transform.type))
      default:
        let predicate = arguments.count == 2 ? try compiler.boolean(arguments[0], "the condition of \(macro.kind.rawValue)()") : nil
        let transform = try compiler.compile(arguments[arguments.count - 1])
        let entries = macro.kind == .transformMapEntry
        let node = MapTransformNode(
          range: range.node, slots: slots, predicate: predicate, transform: transform.node, entries: entries, offset: offset)
        if !entries { return Typed(node: node, type: .map(first, transform.type)) }
        let key = compiler.unifier.fresh()
        let value = compiler.unifier.fresh()
        if compiler.checks, !compiler.unifier.fit(transform.type, .map(key, value)) {
          throw compiler.fail("transformMapEntry() needs a map", at: arguments[arguments.count - 1].offset)
        }
        return Typed(node: node, type: .map(key, value))
      }
    }
  }

  /// Of the pair: index and element, or key and value.
  private mutating func variableTypes(_ range: CELType, at offset: Int) throws(CELError) -> (CELType, CELType) {
    switch unifier.resolved(range) {
    case .list(let element): return (.int, element)
    case .map(let key, let value): return (key, value)
    case .object: return (.string, .dyn)
    case .nullable(let wrapped): return try variableTypes(wrapped, at: offset)
    case .dyn, .parameter: return (.dyn, .dyn)
    case let other:
      guard checks else { return (.dyn, .dyn) }
      throw fail("expression of type '\(other)' cannot be the range of a macro (must be list, map, or dynamic)", at: offset)
    }
  }

  private mutating func bind(_ macro: Expr.Macro, at offset: Int) throws(CELError) -> Typed {
    let value = try compile(macro.target)
    let local = Local(name: macro.variables[0], slot: slot(), type: value.type, lazy: value.node)
    let body = try with([local]) { compiler throws(CELError) in try compiler.compile(macro.arguments[0]) }
    return Typed(node: BindNode(slots: [local.slot], initializers: [value.node], body: body.node, offset: offset), type: body.type)
  }

  private mutating func block(_ macro: Expr.Macro, at offset: Int) throws(CELError) -> Typed {
    guard case .list(let elements) = macro.target.kind else { throw fail("cel.block() needs a list of slots", at: offset) }
    let before = scope.count
    defer { scope.removeSubrange(before...) }
    var slots: [Int] = []
    var initializers: [Node] = []
    for (i, element) in elements.enumerated() {
      let typed = try compile(element.value)
      let local = Local(name: "@index\(i)", slot: slot(), type: element.optional ? .dyn : typed.type, lazy: typed.node)
      slots.append(local.slot)
      initializers.append(typed.node)
      scope.append(local)
    }
    let body = try compile(macro.arguments[0])
    return Typed(node: BindNode(slots: slots, initializers: initializers, body: body.node, offset: offset), type: body.type)
  }

  private mutating func optionalMap(_ macro: Expr.Macro, at offset: Int) throws(CELError) -> Typed {
    let target = try compile(macro.target)
    let inner = unifier.fresh()
    let flat = macro.kind == .optFlatMap
    guard unifier.fit(target.type, .optional(inner)) || !checks else {
      throw noOverload(macro.kind.rawValue, [target.type], member: true, at: offset)
    }
    let local = Local(name: macro.variables[0], slot: slot(), type: checks ? inner : .dyn, lazy: nil)
    let body = try with([local]) { compiler throws(CELError) in try compiler.compile(macro.arguments[0]) }
    let node = OptionalMapNode(target: target.node, slot: local.slot, body: body.node, flat: flat, offset: offset)
    guard flat else { return Typed(node: node, type: .optional(body.type)) }
    let result = unifier.fresh()
    guard unifier.fit(body.type, .optional(result)) || !checks else {
      throw noOverload("optFlatMap", [target.type, body.type], member: true, at: offset)
    }
    return Typed(node: node, type: .optional(result))
  }
}
