package import AdapterKit
internal import CEL
package import JSON

extension DeclarativeAdapter: Templating {
  package func templates(_ scope: AdapterScope, cursor: JSONValue?) async throws(AdapterError) -> TemplatePage {
    guard let operation = file.templates else { throw unsupported("templates") }
    var call = try await call(scope)
    let state = PageState(cursor)
    guard let answer = try await runner.run(operation.list.chain, &call, page: state) else { return TemplatePage(templates: []) }
    var rows: [(row: CELValue, name: String)] = []
    for row in answer.rows ?? [] {
      var variables = call.variables
      variables["row"] = row
      guard let name = try runner.evaluating({ () throws(ExpressionFailure) in try operation.name.text(variables) }) else { continue }
      if try contains(template: name, parent: "", call) { rows.append((row, name)) }
    }
    let details = try await details(operation, rows, call)
    var page = TemplatePage(templates: [])
    for (index, (row, name)) in rows.enumerated() {
      // A definition that is gone since the list was made.
      if operation.details != nil, case .none = details[index] { continue }
      var variables = call.variables
      variables["row"] = row
      variables["details"] = details[index].map { CELValue($0) } ?? .null
      page.templates.append(try runner.evaluating { () throws(ExpressionFailure) in try template(operation, name, variables) })
    }
    let after = call.variables
    page.next = try runner.evaluating { () throws(ExpressionFailure) in
      try state.next(operation.list.chain.requests.last?.paging, answer: answer, count: answer.count, after)
    }?.json
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

  /// The details of each row, a few requests at a time; those whose cache key is as before come from the answer before.
  private func details(
    _ operation: TemplatesOperation, _ rows: [(row: CELValue, name: String)], _ call: Call
  ) async throws(AdapterError) -> [JSONValue?] {
    guard let details = operation.details else { return Array(repeating: nil, count: rows.count) }
    var found = [JSONValue?](repeating: nil, count: rows.count)
    var missing: [(index: Int, key: JSONValue)] = []
    for (index, (row, name)) in rows.enumerated() {
      var variables = call.variables
      variables["row"] = row
      let key = try runner.evaluating { () throws(ExpressionFailure) in try details.cacheKey?.json(variables) } ?? .null
      if !key.isNull, let known = self.details.body(name, key: key) { found[index] = known } else { missing.append((index, key)) }
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
        if case .success = result.1 { start() }
      }
      return results
    }
    let keys = Dictionary(uniqueKeysWithValues: missing.map { ($0.index, $0.key) })
    for (index, result) in results {
      let body = try result.get()
      found[index] = body
      if let body, let key = keys[index], !key.isNull { self.details.keep(body, rows[index].name, key: key) }
    }
    return found
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
