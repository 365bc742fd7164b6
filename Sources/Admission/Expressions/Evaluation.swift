import CEL
import JSON
import OrderedCollections
import Translation

/// The expressions of one policy about one write, sharing their input, their variables and a budget. Not for several threads.
final class Evaluation {
  /// What one expression may cost, and all of one binding together, as in kube-apiserver (about a tenth of a second, and a second).
  static let expressionLimit: UInt64 = 1_000_000
  static let policyBudget: UInt64 = 10_000_000
  static let conditionsBudget: UInt64 = 2_500_000

  private var input: CELVariables
  private let variables: ExpressionVariables
  private var done: [String: Result<CELValue, ExpressionFailure>] = [:]
  /// What may still be spent.
  var budget: UInt64

  init(_ input: CELVariables, variables: ExpressionVariables = .none, budget: UInt64) {
    self.input = input
    self.variables = variables
    self.budget = budget
  }

  func evaluate(_ expression: Expression) throws(ExpressionFailure) -> CELValue {
    try value(of: try expression.compiled(), source: expression.source)
  }

  private func value(of program: CELProgram, source: String) throws(ExpressionFailure) -> CELValue {
    try prepare(program)
    var cost: UInt64 = 0
    let outcome: Result<CELValue, CELError>
    do throws(CELError) {
      outcome = .success(try program.evaluate(input, costLimit: Self.expressionLimit, cost: &cost))
    } catch {
      outcome = .failure(error)
    }
    guard cost <= budget else { throw .outOfBudget }
    budget -= cost
    switch outcome {
    case .success(let value): return value
    case .failure(let error): throw ExpressionFailure(message: "expression '\(source)' resulted in error: \(reason(error))")
    }
  }

  /// Gives a value to each of the policy's variables that the expression reads. One that fails has none, so the failure counts only where it is read.
  private func prepare(_ program: CELProgram) throws(ExpressionFailure) {
    let wantsAll = program.variables.contains("variables")
    for (name, expression) in variables.definitions where wantsAll || program.variables.contains("variables.\(name)") {
      guard done[name] == nil else { continue }
      do throws(ExpressionFailure) {
        let value = try value(of: try expression.compiled(), source: expression.source)
        done[name] = .success(value)
        input["variables.\(name)"] = value
      } catch {
        if error.isOutOfBudget { throw error }
        done[name] = .failure(error)
      }
    }
    guard wantsAll else { return }
    var entries: CELMap.Entries = [:]
    for (name, _) in variables.definitions { if case .success(let value) = done[name] { entries[.string(name)] = value } }
    input["variables"] = .map(CELMap(entries))
  }

  private func reason(_ error: CELError) -> String {
    if error.kind == .costExceeded { return "operation cancelled: actual cost limit exceeded" }
    for (name, outcome) in done {
      guard case .failure(let failure) = outcome, error.message == "the variable 'variables.\(name)' has no value" else { continue }
      return "composited variable \"\(name)\" fails to evaluate: \(failure.message)"
    }
    return error.message
  }
}
