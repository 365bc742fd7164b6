internal import AdapterKit
internal import CEL
internal import JSON

/// Sends the requests of the file and understands refusals.
final class RequestRunner: Sendable {
  let file: AdapterFile
  let context: BackendContext
  let clock: AdapterClock
  let redactor: Redactor
  let session: Session
  private let requests: AsyncGate?
  private let writes: AsyncGate?

  init(
    _ file: AdapterFile, _ context: BackendContext, _ clock: AdapterClock, _ redactor: Redactor, auth: Auth?, requests: Int?, writes: Int?
  ) {
    self.file = file
    self.context = context
    self.clock = clock
    self.redactor = redactor
    self.requests = requests.map { AsyncGate($0) }
    self.writes = writes.map { AsyncGate($0) }
    session = Session(auth, file, context, clock, redactor)
  }

  /// Runs a chain; the last request reads the page that `page` names.
  ///
  /// - Returns: the last answer; nil when its condition left it out.
  @discardableResult
  func run(_ chain: RequestChain, _ call: inout Call, page: PageState = PageState()) async throws(AdapterError) -> Answer? {
    guard let writes, chain.writes else { return try await runRequests(chain, &call, page) }
    try await writes.enter()
    defer { writes.leave() }
    return try await runRequests(chain, &call, page)
  }

  private func runRequests(_ chain: RequestChain, _ call: inout Call, _ page: PageState) async throws(AdapterError) -> Answer? {
    try refuse(chain, call)
    var last: Answer?
    for (index, request) in chain.requests.enumerated() {
      let isLast = index == chain.requests.count - 1
      if let condition = request.condition, try !evaluating({ () throws(ExpressionFailure) in try condition.flag(call.variables) }) {
        if isLast { last = nil }
        if let name = request.name { call.variables[name] = Self.skipped }
        continue
      }
      var answer: Answer
      do throws(AdapterError) {
        answer = try await one(request, &call, page: isLast ? page : PageState())
      } catch {
        if !request.mayFail || error.code == .cancelled { throw error }
        if let name = request.name { call.variables[name] = Self.skipped }
        continue
      }
      if !isLast || request.paging?.all == true, let paging = request.paging {
        // The name of an earlier request stands for the whole list.
        answer = try await all(request, paging, from: answer, &call)
      }
      let variable = answer.variable
      if let name = request.name { call.variables[name] = variable }
      call.variables["response"] = variable
      last = answer
    }
    return last
  }

  /// All rows of a list, after its first page. Where its total moves meanwhile, rows may have moved across the edge of a page: then it is read again, a few
  /// times.
  private func all(_ request: RequestTemplate, _ paging: Paging, from first: Answer, _ call: inout Call) async throws(AdapterError)
    -> Answer
  {
    var answer = first
    for reading in 0..<Self.readings {
      if reading > 0 { answer = try await one(request, &call, page: PageState()) }
      var state = PageState()
      var rows = answer.rows ?? []
      var totals: Set<Int64?> = []
      for _ in 0..<1000 {
        let (page, variables) = (answer, call.variables)
        let (total, next) = try evaluating { () throws(ExpressionFailure) in
          (try paging.total?.int(variables), try state.next(paging, answer: page, variables))
        }
        totals.insert(total)
        guard let next else { break }
        state = next
        answer = try await one(request, &call, page: next)
        rows += answer.rows ?? []
      }
      answer.rows = rows
      if totals.count == 1 { break }
    }
    return answer
  }

  private static let readings = 3

  /// What the file says cannot be done is refused before anything is sent.
  private func refuse(_ chain: RequestChain, _ call: Call) throws(AdapterError) {
    for rule in chain.refusals {
      guard let condition = rule.condition, let code = AdapterErrorCodes.named(rule.code) else { continue }
      let (applies, message, field) = try evaluating { () throws(ExpressionFailure) in
        try condition.flag(call.variables)
          ? (true, try rule.message?.text(call.variables), try rule.field?.text(call.variables)) : (false, nil, nil)
      }
      if applies { throw AdapterError(code, message ?? "\(file.engine) cannot do this", field: field) }
    }
  }

  /// What the name of a request that was left out stands for.
  private static let skipped = CELValue.object([
    "status": .int(0), "headers": .object([:]), "headerValues": .object([:]), "body": .null, "date": .string(""), "rows": .list([]),
  ])

  /// Sends one request, with a new login when the answer asks for one.
  private func one(_ template: RequestTemplate, _ call: inout Call, page: PageState) async throws(AdapterError) -> Answer {
    if let paging = template.paging { call.variables["page"] = page.variable(size: paging.size) }
    let built = try build(template, call.variables, page: page)
    let began = clock.now()
    var response: TransportResponse
    var generation: UInt64?
    (response, generation) = try await send(built, template)
    if template.authenticated, !call.renewed, session.asksForRenewal(response, call.variables) {
      call.renewed = true
      _ = try await session.renew(after: generation)
      (response, generation) = try await send(built, template)
    }
    let accepted = template.accepts(response.status)
    var answer: Answer
    do throws(AnswerError) {
      answer = try Answer(response, form: template.answer, accepted: accepted, began: began)
    } catch {
      if !template.reads { call.wrote = true }
      throw AdapterError(.malformedAnswer, error.message, inDoubt: !template.reads, status: response.status)
    }
    if let refusal = refusal(answer, template, call) { throw refusal }
    if !template.reads { call.wrote = true }
    if let rows = template.rows {
      var variables = call.variables
      variables["response"] = answer.variable
      var found = try evaluating { () throws(ExpressionFailure) in try rows.rows(variables) }
      answer.found = found
      if let only = template.only {
        found = try evaluating { () throws(ExpressionFailure) in
          var kept: [CELValue] = []
          for row in found {
            variables["row"] = row
            if try only.flag(variables) { kept.append(row) }
          }
          return kept
        }
      }
      answer.rows = found
      // Paging expressions look at the answer too.
      call.variables["response"] = variables["response"]
    }
    return answer
  }

  private func send(_ request: TransportRequest, _ template: RequestTemplate) async throws(AdapterError) -> (TransportResponse, UInt64?) {
    var request = request
    var generation: UInt64?
    if template.authenticated {
      let credentials = try await session.headers()
      request.headers += credentials.headers
      generation = credentials.generation
    }
    try await requests?.enter()
    defer { requests?.leave() }
    do throws(TransportError) {
      return (try await context.transport.send(request), generation)
    } catch {
      throw adapterError(error, template)
    }
  }

  /// Opens an answer that is read while it comes; its refusal is an error as everywhere.
  func stream(_ template: RequestTemplate, _ call: inout Call) async throws(AdapterError) -> TransportStream {
    let built = try build(template, call.variables, page: PageState())
    for attempt in 0..<2 {
      var request = built
      let credentials = template.authenticated ? try await session.headers() : (headers: [], generation: nil)
      request.headers += credentials.headers
      let stream: TransportStream
      do throws(TransportError) { stream = try await context.transport.stream(request) } catch { throw adapterError(error, template) }
      if template.accepts(stream.status) { return stream }
      var body: [UInt8] = []
      while body.count < 65_536, let piece = try? await stream.next() { body += piece }
      stream.cancel()
      let response = TransportResponse(status: stream.status, headers: stream.headers, body: body)
      if attempt == 0, template.authenticated, session.asksForRenewal(response, call.variables) {
        _ = try await session.renew(after: credentials.generation)
        continue
      }
      if let answer = try? Answer(response, form: .json, accepted: false, began: clock.now()), let refusal = refusal(answer, template, call)
      {
        throw refusal
      }
      throw AdapterError(.malformedAnswer, "\(file.engine) answered \(stream.status)", status: stream.status)
    }
    throw AdapterError(.unauthenticated, "\(file.engine) refused the credentials, also after a new login")
  }

  func adapterError(_ error: TransportError, _ template: RequestTemplate) -> AdapterError {
    let code: AdapterError.Code =
      switch error.code {
      case .cancelled: .cancelled
      case .timeout: .timeout
      case .tooLarge: .malformedAnswer
      case .invalidRequest: .invalid
      default: .unavailable
      }
    return AdapterError(code, redactor.redact(error.message), inDoubt: !template.reads && error.mayHaveBeenSent)
  }

  /// An expression that does not fit what the engine sent is the answer's fault as far as the caller can know.
  func evaluating<T>(_ body: () throws(ExpressionFailure) -> T) throws(AdapterError) -> T {
    do throws(ExpressionFailure) { return try body() } catch { throw unfit(error) }
  }

  func unfit(_ failure: ExpressionFailure) -> AdapterError {
    AdapterError(.malformedAnswer, redactor.redact("\(file.name) adapter, \(failure.place): \(failure.message)"))
  }
}
