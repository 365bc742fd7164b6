/// One node of the syntax tree. Macros are nodes of their own, so a tree prints as it was written.
struct Expr: Sendable {
  let kind: Kind
  /// Bytes from the start of the source: where the operation is written.
  let offset: Int

  indirect enum Kind: Sendable {
    case constant(CELValue)
    /// With its leading dot, if any.
    case ident(String)
    /// `e.f`, `e.?f`; quoted field names without their backticks.
    case select(Expr, String, optional: Bool)
    /// `has(e.f)`
    case has(Expr, String, optional: Bool)
    /// `e[k]`, `e[?k]`
    case index(Expr, Expr, optional: Bool)
    /// An operator, by its symbol.
    case unary(String, Expr)
    case binary(String, Expr, Expr)
    /// A chain of `&&` or of `||`, flat.
    case logical(and: Bool, [Expr])
    case conditional(Expr, Expr, Expr)
    case call(String, target: Expr?, [Expr])
    case list([(value: Expr, optional: Bool)])
    case map([(key: Expr, value: Expr, optional: Bool)])
    case message(String, [(field: String, value: Expr, optional: Bool)])
    case macro(Macro)
  }

  /// A call that binds names: `target.name(variables…, arguments…)`.
  struct Macro: Sendable {
    enum Kind: String, Sendable {
      case all, exists, existsOne = "exists_one", existsOneCamel = "existsOne", map, filter
      case transformList, transformMap, transformMapEntry
      case bind, optMap, optFlatMap, sortBy
      /// `cel.block([…], e)`; the slots are `@index0`, `@index1` …
      case block
    }

    let kind: Kind
    /// The range; for `bind` the bound value.
    let target: Expr
    let variables: [String]
    /// In the order in which they are written.
    let arguments: [Expr]
  }
}
