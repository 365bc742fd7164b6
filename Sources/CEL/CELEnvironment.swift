/// What expressions may name: variables with their types, functions, types.
///
/// Starts with the language's standard functions and the extensions that Kubernetes has; a host adds its own.
public struct CELEnvironment: Sendable {
  private(set) var variables: [String: CELType] = [:]
  private(set) var functions: [String: [CELFunction]]
  private(set) var typeNames: [String: CELType]
  /// Abstract types with an order.
  private(set) var ordered: Set<String> = ["kubernetes.Quantity", "kubernetes.Semver"]

  /// A namespace in which names are looked for first, such as `com.example`; empty unless told.
  public var container = ""

  /// Whether expressions may use `cel.block([slot, …], result)` with `cel.index(n)`, `cel.iterVar(n, m)` and `cel.accuVar(n, m)`, which optimisers
  /// write and people do not. Slots are evaluated at their first use.
  public var allowsBlocks = false

  /// Names `T` for which `T{field: value}` and `T.a.b{field: value}` are maps with these members, of any type; none unless told.
  public var objectTypes: Set<String> = []

  public init() {
    functions = Library.functions
    typeNames = Library.typeNames
  }

  /// Makes a variable known. Naming an unknown one is an error when an expression is compiled. A later declaration of the same name counts.
  public mutating func declare(_ variable: String, _ type: CELType) { variables[variable] = type }

  /// Adds a function, or another overload of one.
  public mutating func register(_ function: CELFunction) { functions[function.name, default: []].append(function) }

  /// Full names that a name can mean, in the order in which they are tried.
  func candidates(_ name: String, absolute: Bool) -> [String] {
    guard !absolute, !container.isEmpty else { return [name] }
    var parts = container.split(separator: ".")
    var names: [String] = []
    while !parts.isEmpty {
      names.append(parts.joined(separator: ".") + "." + name)
      parts.removeLast()
    }
    return names + [name]
  }
}
