/// What an evaluation may cost, before it is known on what.
public struct CELCostEstimate: Sendable, Hashable {
  /// When nothing in it fails: an error ends its part of the expression early.
  public var minimum: UInt64
  /// `UInt64.max` when there is no bound.
  public var maximum: UInt64

  public init(minimum: UInt64, maximum: UInt64) {
    self.minimum = minimum
    self.maximum = maximum
  }

  static let zero = CELCostEstimate(minimum: 0, maximum: 0)
  static let unbounded = CELCostEstimate(minimum: 0, maximum: .max)

  static func exactly(_ amount: UInt64) -> CELCostEstimate { CELCostEstimate(minimum: amount, maximum: amount) }

  static func + (a: CELCostEstimate, b: CELCostEstimate) -> CELCostEstimate {
    CELCostEstimate(minimum: a.minimum.addingClamped(b.minimum), maximum: a.maximum.addingClamped(b.maximum))
  }

  static func * (a: CELCostEstimate, b: CELCostEstimate) -> CELCostEstimate {
    CELCostEstimate(minimum: a.minimum.multipliedClamped(b.minimum), maximum: a.maximum.multipliedClamped(b.maximum))
  }

  func union(_ other: CELCostEstimate) -> CELCostEstimate {
    CELCostEstimate(minimum: min(minimum, other.minimum), maximum: max(maximum, other.maximum))
  }

  /// A tenth, rounded up, as walking over text or elements costs.
  var traversed: CELCostEstimate {
    CELCostEstimate(
      minimum: minimum / 10 + (minimum % 10 == 0 ? 0 : 1), maximum: maximum == .max ? .max : maximum / 10 + (maximum % 10 == 0 ? 0 : 1))
  }

  var fromZero: CELCostEstimate { CELCostEstimate(minimum: 0, maximum: maximum) }
}

extension UInt64 {
  fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  fileprivate func multipliedClamped(_ other: UInt64) -> UInt64 {
    if self == 0 || other == 0 { return 0 }
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}

/// What is known of a node's value before it runs.
struct Estimate {
  var cost: CELCostEstimate
  /// Bytes of a text, elements of a list; what has no size is 0 to unbounded all the same.
  var size = CELCostEstimate.unbounded
  /// As ``CELValue/deepSize(limit:)``.
  var deep = CELCostEstimate.unbounded
  /// Where the value comes from in the input, such as `job.items`; nil when it was made by the expression.
  var path: String?
}

/// Walks over nodes.
struct Estimator {
  /// The largest size of the value at a path (`job.name`, `job.items`, `job.items[]`); nil when there is no bound.
  let sizes: (String) -> UInt64?
  /// What macros bound, by slot.
  var locals: [Int: Estimate] = [:]

  func input(_ path: String, cost: CELCostEstimate) -> Estimate {
    Estimate(cost: cost, size: sizes(path).map { CELCostEstimate(minimum: 0, maximum: $0) } ?? .unbounded, path: path)
  }

  /// The elements that a macro's variables stand for.
  mutating func bind(_ slots: [Int], _ range: Estimate) {
    for slot in slots {
      locals[slot] = range.path.map { input($0 + "[]", cost: .zero) } ?? Estimate(cost: .zero)
    }
  }
}
