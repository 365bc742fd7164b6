internal import JSON

/// One overload of a function: how it is called, on what types, and what it does.
public struct CELFunction: Sendable {
  typealias Unary = @Sendable (CELValue) throws(CELError) -> CELValue
  typealias Metered = @Sendable ([CELValue], inout UInt64) throws(CELError) -> CELValue
  typealias Binary = @Sendable (CELValue, CELValue) throws(CELError) -> CELValue
  public typealias Body = @Sendable ([CELValue]) throws(CELError) -> CELValue

  enum Implementation: Sendable {
    case unary(Unary)
    case binary(Binary)
    case any(Body)
    /// Takes from what the evaluation may still cost, and throws ``Regex/exhausted`` when that is not enough.
    case metered(Metered)
  }

  /// What a call costs on top of 1.
  enum Cost: Sendable {
    case none
    /// A tenth of the arguments' sizes.
    case traverse
    /// The product of the first two arguments' sizes, a tenth of it.
    case product
    /// The square of the first argument's size, a tenth of it.
    case square
    /// A text's size and a pattern's, as Kubernetes counts regular expressions.
    case regex
    /// The number in the first argument: as many elements are made.
    case count
    case constant(UInt64)
  }

  public let name: String
  public let member: Bool
  public let parameters: [CELType]
  public let result: CELType
  let implementation: Implementation
  var cost: Cost
  /// The last parameter may be repeated.
  var isVariadic = false
  /// Says nothing about the result's type where another overload fits too.
  var isFallback = false

  /// - Parameters:
  ///   - name: as it is called; dots make a namespace, as in `math.abs`.
  ///   - member: true for `target.name(…)`, where the target is the first parameter.
  ///   - parameters: what it takes. ``CELType/parameter(_:)`` stands for any type.
  ///   - result: what it gives. The body's values are not checked against it.
  ///   - body: gets the arguments, as many as there are parameters and each of its parameter's type; a text is always ``CELValue/string(_:)``.
  public init(_ name: String, member: Bool = false, parameters: [CELType], result: CELType, _ body: @escaping Body) {
    self.init(name, member: member, parameters: parameters, result: result, cost: .traverse, .any(body))
  }

  init(_ name: String, member: Bool, parameters: [CELType], result: CELType, cost: Cost, _ implementation: Implementation) {
    self.name = name
    self.member = member
    self.parameters = parameters
    self.result = result
    self.cost = cost
    self.implementation = implementation
  }

  static func unary(
    _ name: String, member: Bool = false, _ parameter: CELType, _ result: CELType, cost: Cost = .none, _ body: @escaping Unary
  ) -> CELFunction {
    CELFunction(name, member: member, parameters: [parameter], result: result, cost: cost, .unary(body))
  }

  static func binary(
    _ name: String, member: Bool = false, _ first: CELType, _ second: CELType, _ result: CELType, cost: Cost = .none,
    _ body: @escaping Binary
  ) -> CELFunction {
    CELFunction(name, member: member, parameters: [first, second], result: result, cost: cost, .binary(body))
  }

  static func metered(
    _ name: String, member: Bool = false, _ parameters: [CELType], _ result: CELType, cost: Cost, _ body: @escaping Metered
  )
    -> CELFunction
  {
    CELFunction(name, member: member, parameters: parameters, result: result, cost: cost, .metered(body))
  }

  static func many(
    _ name: String, member: Bool = false, _ parameters: [CELType], _ result: CELType, cost: Cost = .none, _ body: @escaping Body
  )
    -> CELFunction
  {
    CELFunction(name, member: member, parameters: parameters, result: result, cost: cost, .any(body))
  }

  var costsMore: Bool { if case .none = cost { false } else { true } }

  /// Whether the second argument is a regular expression; a literal one is checked when the expression is compiled.
  var takesPattern: Bool { if case .regex = cost { true } else { false } }

  func accepts(_ arguments: [CELValue]) -> Bool {
    for i in arguments.indices where !parameters[min(i, parameters.count - 1)].accepts(arguments[i]) { return false }
    return true
  }

  func charge(_ arguments: [CELValue], _ frame: inout Frame) throws(CELError) {
    switch cost {
    case .none: return
    case .traverse: for argument in arguments { try frame.charge(deep: argument) }
    case .square:
      try frame.charge(deep: arguments[0])
      let count = UInt64(arguments[0].quickSize)
      try frame.charge((count &* count + 9) / 10)
    case .product:
      for argument in arguments { try frame.charge(deep: argument) }
      try frame.charge(traversing: max(1, arguments[0].quickSize) &* max(1, arguments[1].quickSize) / 10)
    case .regex: try frame.charge(UInt64((arguments[0].quickSize + 10) / 10) * UInt64((arguments[1].quickSize + 3) / 4))
    case .count: if case .int(let count) = arguments[0], count > 0 { try frame.charge(UInt64(count)) }
    case .constant(let amount): try frame.charge(amount)
    }
  }
}
