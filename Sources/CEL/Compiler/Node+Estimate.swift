internal import JSON

// The same amounts as the nodes charge when they run, as a range.

extension Node {
  func estimate(_ e: inout Estimator) -> Estimate {
    switch self {
    case let node as ConstantNode:
      let size = CELCostEstimate.exactly(UInt64(node.value.quickSize))
      return Estimate(cost: .zero, size: size, deep: size)
    case let node as VariableNode: return e.input(node.name, cost: .exactly(1))
    case let node as LocalNode:
      var known = e.locals[node.slot] ?? Estimate(cost: .zero)
      let first = node.lazy == nil ? .zero : known.cost.fromZero
      known.cost = .exactly(1) + first
      return known
    case let node as PathNode:
      return e.input(([node.variable] + node.names.map(\.text)).joined(separator: "."), cost: .exactly(UInt64(node.names.count) + 1))
    case let node as SelectNode:
      let operand = node.operand.estimate(&e)
      let cost = operand.cost + .exactly(1)
      if node.mode == .test { return Estimate(cost: cost, size: .zero, deep: .zero) }
      return operand.path.map { e.input($0 + "." + node.name.text, cost: cost) } ?? Estimate(cost: cost)
    case let node as IndexNode:
      let operand = node.operand.estimate(&e)
      let cost = operand.cost + node.index.estimate(&e).cost + .exactly(1)
      return operand.path.map { e.input($0 + "[]", cost: cost) } ?? Estimate(cost: cost)
    case let node as CoerceNode: return node.operand.estimate(&e)
    default: return operation(&e)
    }
  }

  private func operation(_ e: inout Estimator) -> Estimate {
    let scalar = CELCostEstimate.zero
    switch self {
    case let node as LogicalNode:
      // Only the first operand is sure to run.
      var cost = CELCostEstimate.zero
      for (i, operand) in node.operands.enumerated() {
        let one = operand.estimate(&e).cost
        cost = cost + (i == 0 ? one : one.fromZero)
      }
      return Estimate(cost: cost, size: scalar, deep: scalar)
    case let node as NotNode: return Estimate(cost: node.operand.estimate(&e).cost + .exactly(1), size: scalar, deep: scalar)
    case let node as NegateNode: return Estimate(cost: node.operand.estimate(&e).cost + .exactly(1), size: scalar, deep: scalar)
    case let node as ConditionalNode:
      let yes = node.yes.estimate(&e)
      let no = node.no.estimate(&e)
      return Estimate(
        cost: node.condition.estimate(&e).cost + yes.cost.union(no.cost), size: yes.size.union(no.size), deep: yes.deep.union(no.deep))
    case let node as EqualNode: return comparison(node.left, node.right, &e)
    case let node as CompareNode: return comparison(node.left, node.right, &e)
    case let node as ArithmeticNode:
      let a = node.left.estimate(&e)
      let b = node.right.estimate(&e)
      let size = a.size + b.size
      let walk = node.operation == .add ? size.traversed.fromZero : .zero
      return Estimate(cost: a.cost + b.cost + .exactly(1) + walk, size: size, deep: a.deep + b.deep)
    case let node as InNode:
      let container = node.right.estimate(&e)
      let element = node.left.estimate(&e)
      let compared = CELCostEstimate(minimum: 0, maximum: max(element.deep.maximum, 1)) * container.size
      return Estimate(
        cost: element.cost + container.cost + .exactly(1) + container.size.fromZero + compared.fromZero, size: scalar, deep: scalar)
    case let node as ListNode:
      let parts = node.elements.map { $0.estimate(&e) }
      let count = UInt64(node.elements.count)
      let size = CELCostEstimate(minimum: count - UInt64(node.optionals.count), maximum: count)
      return Estimate(
        cost: parts.reduce(.exactly(10)) { $0 + $1.cost }, size: size, deep: parts.reduce(size) { $0 + $1.deep }.fromZero)
    case let node as MapNode:
      let parts = node.entries.flatMap { [$0.key.estimate(&e), $0.value.estimate(&e)] }
      let count = UInt64(node.entries.count)
      let size = CELCostEstimate(minimum: count - UInt64(node.entries.count(where: \.optional)), maximum: count)
      return Estimate(
        cost: parts.reduce(.exactly(30)) { $0 + $1.cost }, size: size, deep: parts.reduce(size) { $0 + $1.deep }.fromZero)
    case let node as MatchesNode:
      let operand = node.operand.estimate(&e)
      let per = CELCostEstimate.exactly(node.regex.cost(0))
      return Estimate(cost: operand.cost + .exactly(1) + per * (operand.size.traversed + .exactly(1)), size: scalar, deep: scalar)
    case let node as CallNode: return call(node, &e)
    default: return macro(&e)
    }
  }

  private func comparison(_ left: Node, _ right: Node, _ e: inout Estimator) -> Estimate {
    let a = left.estimate(&e)
    let b = right.estimate(&e)
    // Texts by their bytes, all else by their parts; the smaller side ends it.
    let walk = CELCostEstimate(minimum: 0, maximum: min(a.deep.maximum, b.deep.maximum))
    return Estimate(cost: a.cost + b.cost + .exactly(1) + walk, size: .zero, deep: .zero)
  }

  private func call(_ node: CallNode, _ e: inout Estimator) -> Estimate {
    let arguments = node.arguments.map { $0.estimate(&e) }
    var cost = arguments.reduce(CELCostEstimate.exactly(1)) { $0 + $1.cost }
    let sizes = arguments.map(\.size)
    // Only a text is as deep as it is long.
    func total(_ overload: CELFunction) -> CELCostEstimate {
      arguments.indices.reduce(CELCostEstimate.zero) { sum, i in
        switch overload.parameters[min(i, overload.parameters.count - 1)] {
        case .string, .bytes: sum + arguments[i].size.traversed
        default: sum + arguments[i].deep.traversed
        }
      }
    }
    var extra: CELCostEstimate?
    for overload in node.overloads {
      let one: CELCostEstimate
      switch overload.cost {
      case .none: one = .zero
      case .traverse: one = total(overload).fromZero
      case .square: one = total(overload).fromZero + (sizes[0] * sizes[0]).traversed.fromZero
      case .product: one = ((sizes[0] + .exactly(1)) * (sizes[1] + .exactly(1))).traversed.fromZero + total(overload).fromZero
      case .regex where node.name != "matches": one = CELCostEstimate(minimum: 1, maximum: .max)
      case .regex: one = ((sizes[0].traversed + .exactly(1)) * (sizes[1] + .exactly(1))).fromZero
      case .count: one = .unbounded
      case .constant(let amount): one = .exactly(amount)
      }
      extra = extra.map { $0.union(one) } ?? one
    }
    cost = cost + (extra ?? .zero)
    let result = node.overloads.first?.result
    switch result {
    case .bool?, .int?, .uint?, .double?, .timestamp?, .duration?: return Estimate(cost: cost, size: .zero, deep: .zero)
    default: return Estimate(cost: cost, size: .unbounded)
    }
  }

  private func macro(_ e: inout Estimator) -> Estimate {
    func loop(_ range: Node, _ slots: [Int], _ bodies: [Node?], base: UInt64, shortens: Bool) -> Estimate {
      let elements = range.estimate(&e)
      e.bind(slots, elements)
      let each = bodies.compactMap { $0 }.reduce(CELCostEstimate.exactly(2)) { $0 + $1.estimate(&e).cost }
      let times = elements.size * each
      return Estimate(
        cost: elements.cost + .exactly(base) + (shortens ? times.fromZero : times), size: elements.size.fromZero, deep: .unbounded)
    }
    switch self {
    case let node as QuantifierNode:
      var result = loop(node.range, node.slots, [node.predicate], base: 0, shortens: node.kind != .existsOne)
      result.size = .zero
      result.deep = .zero
      return result
    case let node as ListTransformNode:
      return loop(node.range, node.slots, [node.predicate, node.transform], base: 10, shortens: node.predicate != nil)
    case let node as MapTransformNode:
      var result = loop(node.range, node.slots, [node.predicate, node.transform], base: 30, shortens: node.predicate != nil)
      if node.entries { result.size = .unbounded }
      return result
    case let node as SortByNode:
      var result = loop(node.range, [node.slot], [node.key], base: 0, shortens: false)
      result.cost = result.cost + (result.size * .exactly(64)).fromZero
      return result
    case let node as OptionalMapNode:
      let target = node.target.estimate(&e)
      e.locals[node.slot] = Estimate(cost: .zero, size: target.size, path: target.path)
      let body = node.body.estimate(&e)
      return Estimate(cost: target.cost + .exactly(1) + body.cost.fromZero, size: body.size.fromZero, deep: body.deep.fromZero)
    case let node as BindNode:
      for (slot, lazy) in zip(node.slots, node.initializers) { e.locals[slot] = lazy.estimate(&e) }
      return node.body.estimate(&e)
    default: return Estimate(cost: .unbounded)
    }
  }
}
