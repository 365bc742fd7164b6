/// The macro that a call is; nil when it is an ordinary call.
func expandMacro(_ name: String, target: Expr?, _ arguments: [Expr], at offset: Int, blocks: Bool) throws(CELError) -> Expr? {
  func variable(_ expr: Expr) throws(CELError) -> String {
    if case .ident(let name) = expr.kind, !name.hasPrefix(".") { return name }
    throw CELError(.parse, "expected a simple name for the macro's variable", at: expr.offset)
  }
  func made(_ kind: Expr.Macro.Kind, _ target: Expr, variables: Int, _ arguments: [Expr]) throws(CELError) -> Expr {
    var names: [String] = []
    for argument in arguments.prefix(variables) {
      let name = try variable(argument)
      guard !names.contains(name) else { throw CELError(.parse, "the macro's variables must have different names", at: argument.offset) }
      names.append(name)
    }
    let macro = Expr.Macro(kind: kind, target: target, variables: names, arguments: Array(arguments.dropFirst(variables)))
    return Expr(kind: .macro(macro), offset: offset)
  }
  guard let target else {
    guard name == "has" || name == ".has", arguments.count == 1 else { return nil }
    guard case .select(let operand, let field, let optional) = arguments[0].kind else {
      throw CELError(.parse, "has() needs a member, as in has(a.b)", at: arguments[0].offset)
    }
    return Expr(kind: .has(operand, field, optional: optional), offset: offset)
  }
  if case .ident("cel") = target.kind {
    switch (name, arguments.count) {
    case ("bind", 3):
      let macro = Expr.Macro(kind: .bind, target: arguments[1], variables: [try variable(arguments[0])], arguments: [arguments[2]])
      return Expr(kind: .macro(macro), offset: offset)
    case ("block", 2) where blocks:
      return Expr(kind: .macro(Expr.Macro(kind: .block, target: arguments[0], variables: [], arguments: [arguments[1]])), offset: offset)
    case ("index", 1) where blocks:
      if case .constant(.int(let index)) = arguments[0].kind { return Expr(kind: .ident("@index\(index)"), offset: offset) }
    case ("iterVar", 2) where blocks, ("accuVar", 2) where blocks:
      if case .constant(.int(let depth)) = arguments[0].kind, case .constant(.int(let index)) = arguments[1].kind {
        return Expr(kind: .ident("@\(name == "iterVar" ? "it" : "ac"):\(depth):\(index)"), offset: offset)
      }
    default: break
    }
  }
  switch (name, arguments.count) {
  case ("all", 2), ("exists", 2), ("exists_one", 2), ("existsOne", 2), ("filter", 2), ("map", 2), ("map", 3), ("sortBy", 2):
    return try made(Expr.Macro.Kind(rawValue: name)!, target, variables: 1, arguments)
  case ("all", 3), ("exists", 3), ("exists_one", 3), ("existsOne", 3), ("transformList", 3), ("transformList", 4), ("transformMap", 3),
    ("transformMap", 4), ("transformMapEntry", 3), ("transformMapEntry", 4):
    return try made(Expr.Macro.Kind(rawValue: name)!, target, variables: 2, arguments)
  case ("optMap", 2), ("optFlatMap", 2):
    return try made(Expr.Macro.Kind(rawValue: name)!, target, variables: 1, arguments)
  default: return nil
  }
}
