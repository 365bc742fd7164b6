import CEL
import JSON

/// The `matchConditions` of a webhook or policy: all have to be true.
struct MatchConditions: Sendable {
  private let conditions: [Expression]
  private let ignoresFailures: Bool

  init(_ json: JSONValue?, failurePolicy: FailurePolicy, in environment: CELEnvironment) {
    conditions = (json?.array ?? []).map { Expression($0["expression"]?.string ?? "", in: environment) }
    ignoresFailures = failurePolicy == .ignore
  }

  var isEmpty: Bool { conditions.isEmpty }
  var compileErrors: [String] { conditions.compactMap(\.compileError) }

  /// One condition that is false decides, whatever the others are. Where one fails and none is false, the failure policy decides: Ignore is no match.
  func match(_ evaluation: Evaluation) -> Result<Bool, ExpressionFailure> {
    var failures: [String] = []
    for condition in conditions {
      do throws(ExpressionFailure) {
        if try evaluation.evaluate(condition).bool == false { return .success(false) }
      } catch {
        if error.isOutOfBudget { return ignoresFailures ? .success(false) : .failure(error) }
        failures.append(error.message)
      }
    }
    guard !failures.isEmpty else { return .success(true) }
    if ignoresFailures { return .success(false) }
    return .failure(ExpressionFailure(message: failures.count == 1 ? failures[0] : "[\(failures.joined(separator: ", "))]"))
  }
}

/// What becomes of a write when a plugin fails.
enum FailurePolicy: Sendable {
  case fail, ignore

  /// Anything but Ignore, absent included, is Fail.
  init(_ json: JSONValue?) { self = json?.string == "Ignore" ? .ignore : .fail }
}
