import CEL

/// One expression of a policy or webhook, compiled once. One that cannot be compiled fails when it is evaluated, as in kube-apiserver.
struct Expression: Sendable {
  let source: String
  private let program: Result<CELProgram, CELError>

  init(_ source: String, in environment: CELEnvironment) {
    self.source = source
    do throws(CELError) { program = .success(try CELProgram(source, environment: environment)) } catch { program = .failure(error) }
  }

  /// Why there is no program; nil when there is one.
  var compileError: String? {
    guard case .failure(let error) = program else { return nil }
    return "compilation failed: " + Self.line(error)
  }

  var type: CELType {
    guard case .success(let program) = program else { return .dyn }
    return program.type
  }

  func compiled() throws(ExpressionFailure) -> CELProgram {
    switch program {
    case .success(let program): return program
    case .failure: throw ExpressionFailure(message: "compilation error: " + (compileError ?? ""))
    }
  }

  /// Place and message in one line: a Status shows no picture of the source.
  static func line(_ error: CELError) -> String {
    error.line > 0 ? "line \(error.line), column \(error.column): \(error.message)" : error.message
  }
}

/// Why an expression has no value.
struct ExpressionFailure: Error, Sendable {
  let message: String
  /// The budget of all expressions together is spent: nothing further is evaluated.
  var isOutOfBudget = false

  static let outOfBudget = ExpressionFailure(
    message: "validation failed due to running out of cost budget, no further validation rules will be run", isOutOfBudget: true)
}
