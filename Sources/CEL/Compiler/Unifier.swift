/// Decides which types fit where, and what type parameters stand for.
struct Unifier {
  private var solutions: [String: CELType] = [:]
  private var made = 0

  /// A type parameter nobody else uses.
  mutating func fresh() -> CELType {
    made += 1
    return .parameter("_\(made)")
  }

  /// A declared type with its parameters renamed to fresh ones.
  mutating func instance(_ type: CELType, _ names: inout [String: CELType]) -> CELType {
    switch type {
    case .parameter(let name):
      if let known = names[name] { return known }
      let new = fresh()
      names[name] = new
      return new
    case .list(let element): return .list(instance(element, &names))
    case .map(let key, let value): return .map(instance(key, &names), instance(value, &names))
    case .optional(let wrapped): return .optional(instance(wrapped, &names))
    case .nullable(let wrapped): return .nullable(instance(wrapped, &names))
    case .abstract(let name, let parameters): return .abstract(name, parameters.map { instance($0, &names) })
    default: return type
    }
  }

  /// With what is known put in; what stays unknown is `dyn` if `final`.
  func resolved(_ type: CELType, final: Bool = false) -> CELType {
    switch type {
    case .parameter(let name):
      if let solution = solutions[name] { return resolved(solution, final: final) }
      return final ? .dyn : type
    case .list(let element): return .list(resolved(element, final: final))
    case .map(let key, let value): return .map(resolved(key, final: final), resolved(value, final: final))
    case .optional(let wrapped): return .optional(resolved(wrapped, final: final))
    case .nullable(let wrapped): return .nullable(resolved(wrapped, final: final))
    case .abstract(let name, let parameters): return .abstract(name, parameters.map { resolved($0, final: final) })
    default: return type
    }
  }

  /// Whether all of the arguments fit; what was learned about parameters stays only when they do.
  mutating func fit(_ types: [CELType], _ parameters: [CELType]) -> Bool {
    let before = solutions
    for (type, parameter) in zip(types, parameters) where !fits(type, parameter) {
      solutions = before
      return false
    }
    return true
  }

  mutating func fit(_ type: CELType, _ parameter: CELType) -> Bool { fit([type], [parameter]) }

  /// The type of a value that is of one or the other.
  mutating func join(_ a: CELType?, _ b: CELType) -> CELType {
    guard let a else { return b }
    return fit(a, b) ? general(a, b) : .dyn
  }

  private func shallow(_ type: CELType) -> CELType {
    if case .parameter(let name) = type, let solution = solutions[name], case .parameter = solution { return shallow(solution) }
    return type
  }

  private mutating func fits(_ a: CELType, _ b: CELType) -> Bool {
    let a = shallow(a)
    let b = shallow(b)
    if a == b { return true }
    if case .parameter(let name) = b {
      if solve(name, a) { return true }
      if solutions[name] != nil { return false }
    }
    if case .parameter(let name) = a { return solve(name, b) }
    switch (a, b) {
    case (.dyn, _), (_, .dyn): return true
    case (.null, .nullable), (.nullable, .null): return true
    case (.nullable(let a), .nullable(let b)): return fits(a, b)
    case (.nullable(let a), _): return fits(a, b)
    case (_, .nullable(let b)): return fits(a, b)
    case (.null, .timestamp), (.null, .duration), (.null, .optional), (.null, .object), (.null, .abstract): return true
    case (.timestamp, .null), (.duration, .null), (.optional, .null), (.object, .null), (.abstract, .null): return true
    case (.int, Library.number), (.uint, Library.number), (.double, Library.number): return true
    case (.list(let a), .list(let b)), (.optional(let a), .optional(let b)): return fits(a, b)
    case (.map(let key, let value), .map(let otherKey, let otherValue)): return fits(key, otherKey) && fits(value, otherValue)
    // An object is a map whose keys are known.
    case (.object, .map(let key, _)), (.map(let key, _), .object): return fits(.string, key)
    case (.abstract(let name, let parameters), .abstract(let other, let others)):
      guard name == other, parameters.count == others.count else { return false }
      for (x, y) in zip(parameters, others) where !fits(x, y) { return false }
      return true
    default: return false
    }
  }

  private mutating func solve(_ name: String, _ type: CELType) -> Bool {
    if case .parameter(name) = type { return true }
    if let known = solutions[name] {
      guard fits(type, known) else { return false }
      let joined = general(type, known)
      if !mentions(joined, name) { solutions[name] = joined }
      return true
    }
    guard !mentions(type, name) else { return false }
    solutions[name] = type
    return true
  }

  /// The one that leaves more open.
  private func general(_ a: CELType, _ b: CELType) -> CELType { leavesMoreOpen(a, b) ? a : b }

  private func leavesMoreOpen(_ a: CELType, _ b: CELType) -> Bool {
    switch (a, b) {
    case (.dyn, _), (.parameter, _): return true
    case (_, .dyn), (_, .parameter): return false
    case (.null, .null): return true
    case (.null, _): return false
    case (_, .null): return true
    case (.nullable(let a), .nullable(let b)): return leavesMoreOpen(a, b)
    case (.nullable(let a), _): return leavesMoreOpen(a, b)
    case (_, .nullable): return false
    case (.list(let a), .list(let b)), (.optional(let a), .optional(let b)): return leavesMoreOpen(a, b)
    case (.map(let key, let value), .map(let otherKey, let otherValue)):
      return leavesMoreOpen(key, otherKey) && leavesMoreOpen(value, otherValue)
    case (.map, .object): return true
    case (.abstract(let name, let parameters), .abstract(let other, let others)):
      return name == other && parameters.count == others.count && zip(parameters, others).allSatisfy { leavesMoreOpen($0, $1) }
    default: return a == b
    }
  }

  private func mentions(_ type: CELType, _ name: String) -> Bool {
    switch type {
    case .parameter(let other):
      if other == name { return true }
      return solutions[other].map { mentions($0, name) } ?? false
    case .list(let element), .optional(let element), .nullable(let element): return mentions(element, name)
    case .map(let key, let value): return mentions(key, name) || mentions(value, name)
    case .abstract(_, let parameters): return parameters.contains { mentions($0, name) }
    default: return false
    }
  }
}
