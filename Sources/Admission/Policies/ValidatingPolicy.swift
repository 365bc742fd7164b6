import CEL
import JSON

/// A ValidatingAdmissionPolicy, compiled.
struct ValidatingPolicy: Sendable {
  struct Validation: Sendable {
    let expression: Expression
    let message: String
    let messageExpression: Expression?
    /// Invalid, Forbidden, Unauthorized or RequestEntityTooLarge.
    let reason: String
  }

  let head: PolicyHead
  let validations: [Validation]
  let annotations: [(key: String, value: Expression)]

  init(_ object: JSONValue) {
    let hasParams = PolicyHead.paramKind(object) != nil
    var environment = ExpressionEnvironment.make(params: hasParams)
    head = PolicyHead(object, environment: &environment)
    // Messages ask nobody anything.
    var plain = ExpressionEnvironment.make(params: hasParams, authorizer: false)
    _ = ExpressionVariables(object["spec"]?["variables"], in: &plain)
    validations = (object["spec"]?["validations"]?.array ?? []).map { [environment, plain] json in
      let message = json["messageExpression"]?.string ?? ""
      return Validation(
        expression: Expression(json["expression"]?.string ?? "", in: environment), message: json["message"]?.string ?? "",
        messageExpression: message.isEmpty ? nil : Expression(message, in: plain), reason: json["reason"]?.string ?? "Invalid")
    }
    annotations = (object["spec"]?["auditAnnotations"]?.array ?? []).map { [environment] json in
      (json["key"]?.string ?? "", Expression(json["valueExpression"]?.string ?? "", in: environment))
    }
  }

  var compileErrors: [String] {
    head.compileErrors + validations.compactMap(\.expression.compileError) + validations.compactMap { $0.messageExpression?.compileError }
      + annotations.compactMap(\.value.compileError)
  }

  /// What the policy says of one write with one set of params.
  struct Outcome: Sendable {
    struct Denial: Sendable {
      /// Of the validation, for the audit annotation.
      var index: Int
      var message: String
      var reason: String
    }

    var denials: [Denial] = []
    var annotations: [(key: String, value: String)] = []
    /// Annotations that could not be computed; they deny whatever the binding's actions are.
    var annotationErrors: [String] = []
  }

  /// Pure: may be repeated.
  func evaluate(_ input: CELVariables) -> Outcome {
    var outcome = Outcome()
    func fail(_ message: String, at index: Int = 0) {
      guard head.failurePolicy == .fail else { return }
      outcome.denials.append(Outcome.Denial(index: index, message: message, reason: "Invalid"))
    }
    if !head.conditions.isEmpty {
      switch head.conditions.match(Evaluation(input, variables: head.variables, budget: Evaluation.conditionsBudget)) {
      case .success(true): break
      case .success(false): return outcome
      case .failure(let failure):
        fail(failure.message)
        return outcome
      }
    }
    let evaluation = Evaluation(input, variables: head.variables, budget: Evaluation.policyBudget)
    for (index, validation) in validations.enumerated() {
      do throws(ExpressionFailure) {
        guard try evaluation.evaluate(validation.expression).bool != true else { continue }
        outcome.denials.append(
          Outcome.Denial(index: index, message: try message(of: validation, evaluation), reason: validation.reason))
      } catch {
        fail(error.message, at: index)
        if error.isOutOfBudget { return outcome }
      }
    }
    annotate(&outcome, input)
    return outcome
  }

  /// At most 5 KiB, one line; else the fixed message, else the expression.
  private func message(of validation: Validation, _ evaluation: Evaluation) throws(ExpressionFailure) -> String {
    if let expression = validation.messageExpression {
      do throws(ExpressionFailure) {
        if let text = try evaluation.evaluate(expression).string?.trimmed, !text.isEmpty, text.utf8.count <= 5 * 1024, !text.contains("\n")
        {
          return text
        }
      } catch {
        if error.isOutOfBudget { throw ExpressionFailure(message: "failed messageExpression: \(error.message)") }
      }
    }
    let fixed = validation.message.trimmed
    return fixed.isEmpty ? "failed expression: \(validation.expression.source.trimmed)" : fixed
  }

  private func annotate(_ outcome: inout Outcome, _ input: CELVariables) {
    let evaluation = Evaluation(input, variables: head.variables, budget: Evaluation.policyBudget)
    for (key, expression) in annotations {
      do throws(ExpressionFailure) {
        let value = try evaluation.evaluate(expression)
        if let text = value.string?.trimmed {
          if !text.isEmpty { outcome.annotations.append((key, String(decoding: text.utf8.prefix(10 * 1024), as: UTF8.self))) }
        } else if case .null = value {
        } else {
          outcome.annotationErrors.append(
            "valueExpression '\(expression.source)' resulted in unsupported return type: \(value.type). "
              + "Return type must be either string or null.")
        }
      } catch {
        if head.failurePolicy == .fail { outcome.annotationErrors.append(error.message) }
      }
    }
  }
}

extension String {
  /// Without white space at both ends.
  var trimmed: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
