/// A parsed expression that was not checked: to look at, and to write again in one form.
public struct CELExpression: Sendable, CustomStringConvertible {
  let expr: Expr

  /// - Throws: ``CELError`` of kind parse with its place.
  public init(parsing source: String) throws(CELError) {
    do throws(CELError) { expr = try Parser.parse(source, blocks: true) } catch { throw error.located(in: source) }
  }

  /// The expression on one line in canonical form: double quotes, single spaces, no needless parentheses, no comments. It parses to the same tree.
  public var description: String { Unparser.text(of: expr) }

  /// Whether both are the same tree; places do not count.
  public func isSame(as other: CELExpression) -> Bool { expr.isSame(as: other.expr) }
}

extension Expr {
  func isSame(as other: Expr) -> Bool {
    func all(_ a: [Expr], _ b: [Expr]) -> Bool { a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) } }
    switch (kind, other.kind) {
    case (.constant(let a), .constant(let b)):
      if case (.double(let a), .double(let b)) = (a, b) { return a.bitPattern == b.bitPattern }
      return a.type == b.type && isEqual(a, b)
    case (.ident(let a), .ident(let b)): return a == b
    case (.select(let a, let field, let optional), .select(let b, let otherField, let otherOptional)),
      (.has(let a, let field, let optional), .has(let b, let otherField, let otherOptional)):
      return field == otherField && optional == otherOptional && a.isSame(as: b)
    case (.index(let a, let key, let optional), .index(let b, let otherKey, let otherOptional)):
      return optional == otherOptional && a.isSame(as: b) && key.isSame(as: otherKey)
    case (.unary(let symbol, let a), .unary(let other, let b)): return symbol == other && a.isSame(as: b)
    case (.binary(let symbol, let a, let b), .binary(let other, let c, let d)): return symbol == other && a.isSame(as: c) && b.isSame(as: d)
    case (.logical(let and, let a), .logical(let other, let b)): return and == other && all(a, b)
    case (.conditional(let a, let b, let c), .conditional(let x, let y, let z)): return all([a, b, c], [x, y, z])
    case (.call(let name, let target, let arguments), .call(let other, let otherTarget, let others)):
      return name == other && (target == nil) == (otherTarget == nil)
        && all([target].compactMap { $0 } + arguments, [otherTarget].compactMap { $0 } + others)
    case (.list(let a), .list(let b)): return all(a.map(\.value), b.map(\.value)) && a.map(\.optional) == b.map(\.optional)
    case (.map(let a), .map(let b)):
      return all(a.flatMap { [$0.key, $0.value] }, b.flatMap { [$0.key, $0.value] }) && a.map(\.optional) == b.map(\.optional)
    case (.message(let name, let a), .message(let other, let b)):
      return name == other && all(a.map(\.value), b.map(\.value)) && a.map(\.field) == b.map(\.field)
        && a.map(\.optional) == b.map(\.optional)
    case (.macro(let a), .macro(let b)):
      return a.kind == b.kind && a.variables == b.variables && a.target.isSame(as: b.target) && all(a.arguments, b.arguments)
    default: return false
    }
  }
}
