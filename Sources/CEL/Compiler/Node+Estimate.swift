internal import JSON

// The same amounts as the nodes charge when they run, as a range.

extension Node {
  func estimate(_ e: inout Estimator) -> Estimate {
    switch self {
    case let node as ConstantNode:
      let size = UInt64(node.value.quickSize)
      return Estimate(cost: .zero, size: .exactly(size))
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
      if node.mode == .test { return Estimate(cost: cost, size: .zero) }
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
      return Estimate(cost: cost, size: scalar)
    case let node as NotNode: return Estimate(cost: node.operand.estimate(&e).cost + .exactly(1), size: scalar)
    case let node as NegateNode: return Estimate(cost: node.operand.estimate(&e).cost + .exactly(1), size: scalar)
    case let node as ConditionalNode:
      let yes = node.yes.estimate(&e)
      let no = node.no.estimate(&e)
      return Estimate(cost: node.condition.estimate(&e).cost + yes.cost.union(no.cost), size: yes.size.union(no.size))
    case let node as EqualNode: return comparison(node.left, node.right, &e)
    case let node as CompareNode: return comparison(node.left, node.right, &e)
    case let node as ArithmeticNode:
      let a = node.left.estimate(&e)
      let b = node.right.estimate(&e)
      let size = a.size + b.size
      let walk = node.operation == .add ? size.traversed.fromZero : .zero
      return Estimate(cost: a.cost + b.cost + .exactly(1) + walk, size: size)
    case let node as InNode:
      let container = node.right.estimate(&e)
      return Estimate(cost: node.left.estimate(&e).cost + container.cost + .exactly(1) + container.size.fromZero, size: scalar)
    case let node as ListNode:
      let cost = node.elements.reduce(CELCostEstimate.exactly(10)) { $0 + $1.estimate(&e).cost }
      let count = UInt64(node.elements.count)
      return Estimate(cost: cost, size: CELCostEstimate(minimum: count - UInt64(node.optionals.count), maximum: count))
    case let node as MapNode:
      let cost = node.entries.reduce(CELCostEstimate.exactly(30)) { $0 + $1.key.estimate(&e).cost + $1.value.estimate(&e).cost }
      let count = UInt64(node.entries.count)
      return Estimate(cost: cost, size: CELCostEstimate(minimum: count - UInt64(node.entries.count(where: \.optional)), maximum: count))
    case let node as MatchesNode:
      let operand = node.operand.estimate(&e)
      let per = CELCostEstimate.exactly(node.regex.cost(0))
      return Estimate(cost: operand.cost + .exactly(1) + per * (operand.size.traversed + .exactly(1)), size: scalar)
    case let node as CallNode: return call(node, &e)
    default: return macro(&e)
    }
  }

  private func comparison(_ left: Node, _ right: Node, _ e: inout Estimator) -> Estimate {
    let a = left.estimate(&e)
    let b = right.estimate(&e)
    let walk = CELCostEstimate(minimum: 0, maximum: min(a.size.maximum, b.size.maximum)).traversed
    return Estimate(cost: a.cost + b.cost + .exactly(1) + walk, size: .zero)
  }

  private func call(_ node: CallNode, _ e: inout Estimator) -> Estimate {
    let arguments = node.arguments.map { $0.estimate(&e) }
    var cost = arguments.reduce(CELCostEstimate.exactly(1)) { $0 + $1.cost }
    let sizes = arguments.map(\.size)
    let total = sizes.reduce(CELCostEstimate.zero, +)
    var extra: CELCostEstimate?
    for overload in node.overloads {
      let one: CELCostEstimate
      switch overload.cost {
      case .none: one = .zero
      case .traverse: one = total.traversed.fromZero
      case .product: one = ((sizes[0] + .exactly(1)) * (sizes[1] + .exactly(1))).traversed.fromZero + sizes[0].traversed.fromZero
      case .regex: one = ((sizes[0].traversed + .exactly(1)) * (sizes[1] + .exactly(1))).fromZero
      case .count: one = .unbounded
      case .constant(let amount): one = .exactly(amount)
      }
      extra = extra.map { $0.union(one) } ?? one
    }
    cost = cost + (extra ?? .zero)
    let result = node.overloads.first?.result
    switch result {
    case .bool?, .int?, .uint?, .double?, .timestamp?, .duration?: return Estimate(cost: cost, size: .zero)
    default: return Estimate(cost: cost, size: node.name == "replace" || node.name == "format" || node.name == "lists.range" ? .unbounded : total.fromZero)
    }
  }

  private func macro(_ e: inout Estimator) -> Estimate {
    func loop(_ range: Node, _ slots: [Int], _ bodies: [Node?], base: UInt64, shortens: Bool) -> Estimate {
      let elements = range.estimate(&e)
      e.bind(slots, elements)
      let each = bodies.compactMap { $0 }.reduce(CELCostEstimate.exactly(2)) { $0 + $1.estimate(&e).cost }
      let times = elements.size * each
      return Estimate(cost: elements.cost + .exactly(base) + (shortens ? times.fromZero : times), size: elements.size.fromZero)
    }
    switch self {
    case let node as QuantifierNode:
      var result = loop(node.range, node.slots, [node.predicate], base: 0, shortens: node.kind != .existsOne)
      result.size = .zero
      return result
    case let node as ListTransformNode: return loop(node.range, node.slots, [node.predicate, node.transform], base: 10, shortens: node.predicate != nil)
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
      return Estimate(cost: target.cost + .exactly(1) + body.cost.fromZero, size: body.size)
    case let node as BindNode:
      for (slot, lazy) in zip(node.slots, node.initializers) { e.locals[slot] = lazy.estimate(&e) }
      return node.body.estimate(&e)
    default: return Estimate(cost: .unbounded)
    }
  }
}
