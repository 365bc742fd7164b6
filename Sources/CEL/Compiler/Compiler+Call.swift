extension Compiler {
  mutating func call(_ name: String, _ target: Expr?, _ arguments: [Expr], at offset: Int) throws(CELError) -> Typed {
    // A namespace looks like a target: `math.abs(x)`.
    if let target, let prefix = target.qualifiedName {
      let absolute = prefix.hasPrefix(".")
      let full = (absolute ? String(prefix.dropFirst()) : prefix) + "." + name
      for candidate in environment.candidates(full, absolute: absolute) {
        if let overloads = environment.functions[candidate]?.filter({ !$0.member }), !overloads.isEmpty {
          return try resolve(candidate, overloads, arguments, member: false, at: offset)
        }
      }
    }
    let absolute = name.hasPrefix(".")
    let plain = absolute ? String(name.dropFirst()) : name
    if let target {
      if let overloads = environment.functions[plain]?.filter({ $0.member }), !overloads.isEmpty {
        return try resolve(plain, overloads, [target] + arguments, member: true, at: offset)
      }
      return try unknown(plain, [target] + arguments, member: true, at: offset)
    }
    for candidate in environment.candidates(plain, absolute: absolute) {
      if let overloads = environment.functions[candidate]?.filter({ !$0.member }), !overloads.isEmpty {
        return try resolve(candidate, overloads, arguments, member: false, at: offset)
      }
    }
    return try unknown(plain, arguments, member: false, at: offset)
  }

  private mutating func unknown(_ name: String, _ arguments: [Expr], member: Bool, at offset: Int) throws(CELError) -> Typed {
    guard checks else {
      var nodes: [Node] = []
      for argument in arguments { nodes.append(try compile(argument).node) }
      return Typed(node: CallNode(name, [], nodes, offset: offset), type: .dyn)
    }
    let near = environment.functions.keys.filter { editDistanceIsSmall($0, name) && $0 != name }.sorted()
    let hint = near.first.map { " (did you mean '\($0)'?)" } ?? ""
    throw fail("undeclared reference to the \(member ? "member function" : "function") '\(name)'\(hint)", at: offset)
  }

  private mutating func resolve(_ name: String, _ all: [CELFunction], _ arguments: [Expr], member: Bool, at offset: Int) throws(CELError)
    -> Typed
  {
    var typed: [Typed] = []
    for argument in arguments { typed.append(try compile(argument)) }
    let types = typed.map(\.type)
    var overloads = all.filter { $0.parameters.count == arguments.count || ($0.isVariadic && arguments.count >= $0.parameters.count) }
    var result = CELType.dyn
    if checks {
      var found: CELType?
      var matching: [CELFunction] = []
      for overload in overloads {
        var names: [String: CELType] = [:]
        let parameters = (0..<arguments.count).map { unifier.instance(overload.parameters[min($0, overload.parameters.count - 1)], &names) }
        let type = unifier.instance(overload.result, &names)
        guard unifier.fit(types, parameters) else { continue }
        matching.append(overload)
        if overload.isFallback, found != nil { continue }
        let resolved = unifier.resolved(type)
        if let previous = found, previous != resolved { found = .dyn } else { found = resolved }
      }
      guard let found else { throw noOverload(name, types, member: member, at: offset) }
      result = found
      overloads = matching
    }

    if name == "matches", arguments.count == 2, case .constant(.string(let pattern)) = arguments[1].kind {
      let regex: Regex
      do throws(CELError) { regex = try Regex(pattern) } catch { throw fail(error.message, at: arguments[1].offset) }
      return Typed(node: MatchesNode(typed[0].node, regex, offset: offset), type: .bool)
    }
    if arguments.count >= 2, overloads.contains(where: \.takesPattern), case .constant(.string(let pattern)) = arguments[1].kind {
      do throws(CELError) { _ = try Regex.cached(pattern) } catch { throw fail(error.message, at: arguments[1].offset) }
    }
    return Typed(node: CallNode(name, overloads, typed.map(\.node), offset: offset), type: result)
  }
}
