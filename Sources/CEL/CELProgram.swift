public import JSON

/// A compiled expression. Immutable: any thread may evaluate it, as often as it likes.
public struct CELProgram: Sendable {
  public let source: String
  /// What the expression gives, as far as is known before it runs.
  public let type: CELType
  /// The names of the variables it reads.
  public let variables: Set<String>

  /// What an evaluation may cost unless told; about a second of work. One unit is about one operation.
  public static let defaultCostLimit: UInt64 = 10_000_000

  private let root: Node
  private let slots: Int

  /// Parses, checks and compiles.
  ///
  /// - Parameter checked: false leaves types and unknown names to be found out at run time.
  /// - Throws: ``CELError`` of kind parse or check with its place.
  public init(_ source: String, environment: CELEnvironment, checked: Bool = true) throws(CELError) {
    do throws(CELError) {
      try self.init(try Parser.parse(source, blocks: environment.allowsBlocks), source: source, environment: environment, checked: checked)
    } catch {
      throw error.located(in: source)
    }
  }

  init(_ expr: Expr, source: String, environment: CELEnvironment, checked: Bool) throws(CELError) {
    var compiler = Compiler(environment, checks: checked)
    let typed = try compiler.compile(expr)
    self.source = source
    root = typed.node
    slots = compiler.slots
    type = compiler.unifier.resolved(typed.type, final: true)
    variables = compiler.variables
  }

  /// - Parameters:
  ///   - variables: a value for each declared variable that the expression reads.
  ///   - costLimit: ``defaultCostLimit`` when nil.
  /// - Throws: ``CELError`` of kind evaluation or costExceeded, with the place of the operation that failed.
  public func evaluate(_ variables: CELVariables, costLimit: UInt64? = nil) throws(CELError) -> CELValue {
    var cost: UInt64 = 0
    return try evaluate(variables, costLimit: costLimit, cost: &cost)
  }

  /// As ``evaluate(_:costLimit:)``, and adds what it cost, also when it fails.
  public func evaluate(_ variables: CELVariables, costLimit: UInt64? = nil, cost: inout UInt64) throws(CELError) -> CELValue {
    var frame = Frame(
      variables: variables, locals: slots == 0 ? [] : Array(repeating: nil, count: slots), limit: costLimit ?? Self.defaultCostLimit)
    defer { cost += frame.cost }
    do throws(CELError) {
      let value = try root.evaluate(&frame).settled
      // Who gets the value will walk over it.
      switch value {
      case .list, .map, .optional: try frame.charge(deep: value)
      default: break
      }
      return value
    } catch {
      throw error.located(in: source)
    }
  }

  /// Evaluates and writes the value as JSON, strings of the input without decoding them; see ``CELValue/json()`` for the forms.
  ///
  /// - Throws: as ``evaluate(_:costLimit:)``, and for values without JSON form; nothing was written then.
  public func write(_ variables: CELVariables, to writer: inout JSONWriter, costLimit: UInt64? = nil) throws(CELError) {
    var frame = Frame(
      variables: variables, locals: slots == 0 ? [] : Array(repeating: nil, count: slots), limit: costLimit ?? Self.defaultCostLimit)
    do throws(CELError) {
      let value = try root.evaluate(&frame)
      switch value {
      case .list, .map, .optional: try frame.charge(deep: value)
      default: break
      }
      try value.write(to: &writer)
    } catch {
      throw error.located(in: source)
    }
  }

  /// What an evaluation may cost at least and at most.
  ///
  /// - Parameter sizes: the largest size of a value of the input by its path, in bytes of a text and in elements of a list or map: `job.name`,
  ///   `job.items`, `job.items[].name`. nil means no bound.
  public func estimatedCost(sizes: (_ path: String) -> UInt64? = { _ in nil }) -> CELCostEstimate {
    withoutActuallyEscaping(sizes) { sizes in
      var estimator = Estimator(sizes: sizes)
      let estimate = root.estimate(&estimator)
      switch type {
      case .null, .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .type: return estimate.cost
      default: return estimate.cost + estimate.deep.traversed.fromZero
      }
    }
  }
}
