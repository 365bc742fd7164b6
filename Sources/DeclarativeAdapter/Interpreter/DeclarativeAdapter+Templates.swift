package import AdapterKit
internal import CEL
package import JSON

extension DeclarativeAdapter: Templating {
  package func templates(_ scope: AdapterScope, cursor: JSONValue?) async throws(AdapterError) -> TemplatePage {
    guard let operation = file.templates else { throw unsupported("templates") }
    var call = try await call(scope)
    let state = PageState(cursor)
    guard let answer = try await runner.run(operation.list.chain, &call, page: state) else { return TemplatePage(templates: []) }
    let after = call.variables
    let nameOf: (CELValue) -> String? = { row in
      var variables = after
      variables["row"] = row
      return (try? operation.name.text(variables)) ?? nil
    }
    var page = TemplatePage(templates: [])
    var rows: [(row: CELValue, name: String)] = []
    for row in state.fresh(answer.rows ?? [], name: nameOf) {
      var variables = after
      variables["row"] = row
      do throws(ExpressionFailure) {
        guard let name = try operation.name.text(variables) else { continue }
        do throws(AdapterError) {
          if try contains(template: name, parent: "", call) { rows.append((row, name)) }
        } catch {
          page.unreadable.append("\(name): \(error.message)")
        }
      } catch {
        page.unreadable.append("a template: \(redactor.redact(error.description))")
      }
    }
    // One that cannot be understood does not hide the others.
    for ((row, name), details) in zip(rows, try await details(operation, rows, call)) {
      var variables = after
      variables["row"] = row
      switch details {
      case .notAsked: variables["details"] = .null
      case .known(let body): variables["details"] = CELValue(body)
      case .gone: continue
      case .refused(let error):
        page.unreadable.append("\(name): \(error.message)")
        continue
      }
      do throws(ExpressionFailure) { page.templates.append(try template(operation, name, variables)) } catch {
        page.unreadable.append("\(name): \(redactor.redact(error.description))")
      }
    }
    let following = try runner.evaluating { () throws(ExpressionFailure) in
      try state.following(operation.list.chain.requests.last?.paging, answer: answer, after, name: nameOf)
    }
    page.next = following.page?.json
    return page
  }

  private func template(_ operation: TemplatesOperation, _ name: String, _ variables: CELVariables) throws(ExpressionFailure)
    -> EngineTemplate
  {
    var template = EngineTemplate(name: name)
    template.description = try operation.description?.text(variables)
    template.parametersSchema = try operation.parametersSchema?.json(variables)
    template.paused = try operation.paused?.flag(variables) ?? false
    template.url = try operation.url?.text(variables)
    template.schedule = try operation.schedule?.text(variables)
    template.labels = try operation.labels?.texts(variables) ?? [:]
    return template
  }

  private enum Details {
    case notAsked
    case known(JSONValue)
    /// A definition that is gone since the list was made.
    case gone
    /// Of this row alone; the engine as a whole works.
    case refused(AdapterError)
  }

  /// The details of each row, a few requests at a time; those whose cache key is as before come from the answer before.
  private func details(
    _ operation: TemplatesOperation, _ rows: [(row: CELValue, name: String)], _ call: Call
  ) async throws(AdapterError) -> [Details] {
    guard let details = operation.details else { return Array(repeating: .notAsked, count: rows.count) }
    var found = [Details](repeating: .gone, count: rows.count)
    var missing: [(index: Int, key: JSONValue)] = []
    for (index, (row, name)) in rows.enumerated() {
      var variables = call.variables
      variables["row"] = row
      // Without a key it is only asked again each time.
      let key = ((try? details.cacheKey?.json(variables)) ?? nil) ?? .null
      if !key.isNull, let known = self.details.body(name, key: key) { found[index] = .known(known) } else { missing.append((index, key)) }
    }
    let results = await withTaskGroup(of: (Int, Result<JSONValue?, AdapterError>).self) { group in
      var waiting = missing[...]
      var results: [(Int, Result<JSONValue?, AdapterError>)] = []
      func start() {
        guard let (index, _) = waiting.popFirst() else { return }
        let row = rows[index].row
        group.addTask { (index, await self.fetch(details.chain, row, call)) }
      }
      for _ in 0..<details.concurrency { start() }
      while let result = await group.next() {
        results.append(result)
        if case .failure(let error) = result.1, Self.concernsAll(error) { waiting = [] }
        start()
      }
      return results
    }
    let keys = Dictionary(uniqueKeysWithValues: missing.map { ($0.index, $0.key) })
    for (index, result) in results {
      switch result {
      case .success(nil): continue
      case .success(let body?):
        found[index] = .known(body)
        if let key = keys[index], !key.isNull { self.details.keep(body, rows[index].name, key: key) }
      case .failure(let error):
        if Self.concernsAll(error) { throw error }
        found[index] = .refused(error)
      }
    }
    return found
  }

  /// Whether no other row would fare better.
  private static func concernsAll(_ error: AdapterError) -> Bool {
    switch error.code {
    case .cancelled, .unauthenticated, .rateLimited: true
    case .unavailable, .timeout: error.status != 500
    default: false
    }
  }

  private func fetch(_ chain: RequestChain, _ row: CELValue, _ call: Call) async -> Result<JSONValue?, AdapterError> {
    var call = call
    call.variables["row"] = row
    do throws(AdapterError) {
      guard let answer = try await runner.run(chain, &call) else { return .success(.null) }
      do throws(CELError) { return .success(try answer.body.json()) } catch {
        return .failure(AdapterError(.malformedAnswer, error.message))
      }
    } catch {
      return error.code == .notFound ? .success(nil) : .failure(error)
    }
  }
}
