internal import AdapterKit
internal import CEL
internal import JSON

extension RequestRunner {
  /// nil when the answer is none: first the request's own table, then the file's, then what the status means.
  func refusal(_ answer: Answer, _ template: RequestTemplate, _ call: Call) -> AdapterError? {
    let accepted = template.accepts(answer.status)
    var variables = call.variables
    variables["response"] = answer.variable
    for rule in template.errors + file.errors {
      // Only a rule with a condition may find fault with a good status.
      if accepted, rule.condition == nil, !rule.statuses.contains(answer.status) { continue }
      if !rule.statuses.isEmpty, !rule.statuses.contains(answer.status) { continue }
      if let condition = rule.condition, (try? condition.flag(variables)) != true { continue }
      guard let code = AdapterErrorCodes.named(rule.code) else { return nil }
      let message = (try? rule.message?.text(variables)) ?? engineMessage(answer, variables)
      return make(
        code, message, answer, template, isExplained: true, field: (try? rule.field?.text(variables)) ?? nil,
        retryAfter: ((try? rule.retryAfter?.int(variables)) ?? nil).map { .seconds($0) })
    }
    if accepted { return nil }
    return make(
      AdapterErrorCodes.standard(for: answer.status, submitting: call.submitting), engineMessage(answer, variables), answer, template,
      isExplained: !call.submitting, field: nil, retryAfter: nil)
  }

  /// - Parameter isExplained: a rule of the file says what the status means, or nothing is made by the request.
  private func make(
    _ code: AdapterError.Code, _ message: String, _ answer: Answer, _ template: RequestTemplate, isExplained: Bool, field: String?,
    retryAfter: Duration?
  ) -> AdapterError {
    let accepted = template.accepts(answer.status)
    let clean = String(
      String.UnicodeScalarView(redactor.redact(message).unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }.prefix(1000)))
    let wait = retryAfter ?? self.retryAfter(answer)
    // A failing server may have acted before it failed. 501 says that it did not; 503 with Retry-After, too, but a bare one often comes from a proxy that
    // lost the engine while it worked.
    let isBusy = answer.status == 503 && (isExplained || wait != nil)
    let unclear = !template.reads && answer.status >= 500 && answer.status != 501 && !isBusy
    return AdapterError(
      code, clean, field: field, retryAfter: wait,
      inDoubt: unclear && (code == .unavailable || code == .timeout || code == .malformedAnswer),
      status: accepted ? nil : answer.status)
  }

  /// The engine's own words.
  private func engineMessage(_ answer: Answer, _ variables: CELVariables) -> String {
    if let text = try? file.errorMessage?.text(variables) { return text }
    if let text = answer.body.string, !text.isEmpty, !text.hasPrefix("<"), !text.lowercased().contains("<html") {
      return String(text.prefix(300))
    }
    // Where most engines put it.
    for path in [["message"], ["error", "message"], ["error"], ["detail"], ["errors", "message"], ["reason"]] {
      var value: CELValue? = answer.body
      for name in path { value = value?[name] }
      if let text = value?.string, !text.isEmpty { return text }
    }
    if answer.body.isMap, let text = try? answer.body.json().text { return String(text.prefix(300)) }
    return "\(file.engine) answered \(answer.status)"
  }

  /// RFC 9110: seconds or a date.
  private func retryAfter(_ answer: Answer) -> Duration? {
    guard let text = answer.header("retry-after") else { return nil }
    if let seconds = Int64(text), seconds >= 0 { return .seconds(min(seconds, 86_400)) }
    guard let date = Timestamp(httpDate: text) else { return nil }
    return max(.zero, date - answer.date)
  }
}
