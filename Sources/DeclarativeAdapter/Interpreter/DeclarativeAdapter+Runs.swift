package import AdapterKit
internal import CEL
package import JSON
internal import OrderedCollections

extension DeclarativeAdapter {
  package func submit(_ submission: Submission) async throws(AdapterError) -> Observation {
    let kind: RunKey.Kind = submission.schedule == nil ? .run : .schedule
    let (block, mapper) = try block(kind)
    let usesSteps = kind == .run && submission.template == nil
    guard let operation = usesSteps ? (traits.runsInlineSteps ? block.submitSteps : nil) : block.submitTemplate else {
      throw unsupported(kind == .schedule ? "schedule" : usesSteps ? "inlineSteps" : "template")
    }
    var call = try await call(submission.scope)
    if let template = submission.template, try !contains(template: template, parent: "", call) {
      throw AdapterError(.invalid, "'\(template)' is outside of the scope of this binding", field: "template")
    }
    call.submitting = true
    call.variables["submission"] = variable(submission)
    guard var observation = try await perform(operation, mapper, &call) else {
      throw AdapterError(.malformedAnswer, "\(file.engine) took the submission and did not say what became of it", inDoubt: true)
    }
    // What was just written is known even where the answer does not repeat it.
    if case .unseen = observation.envelope { observation.envelope = .present(submission.envelope) }
    if let overlay = file.overlay, !overlay.comesWithRuns, case .unseen = observation.overlay { observation.overlay = .absent }
    return observation
  }

  package func get(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation {
    let (block, mapper) = try block(key.kind)
    guard let operation = block.get else { throw unsupported("get") }
    var call = try await call(key, scope)
    guard let observation = try await perform(operation, mapper, &call) else {
      throw AdapterError(.notFound, "\(file.engine) has no run '\(key)'")
    }
    guard observation.key == key else {
      throw AdapterError(.malformedAnswer, "\(file.engine) was asked for '\(key)' and answered with '\(observation.key)'")
    }
    return observation
  }

  package func find(
    submissionKey: String, template: String?, kind: RunKey.Kind, scope: AdapterScope
  ) async throws(AdapterError) -> Observation? {
    let (block, mapper) = try block(kind)
    guard let operation = block.find else { throw unsupported("find") }
    var call = try await call(scope)
    call.variables["submissionKey"] = .string(submissionKey)
    call.variables["template"] = template.map { .string($0) } ?? .null
    do throws(AdapterError) {
      return try await perform(operation, mapper, &call)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  package func list(_ scope: AdapterScope, since: Timestamp?, cursor: JSONValue?) async throws(AdapterError) -> RunPage {
    let sources = file.runs.list.map { ($0, RunKey.Kind.run) } + (file.schedules?.list ?? []).map { ($0, RunKey.Kind.schedule) }
    let index = Int(cursor?["source"]?.int ?? 0)
    guard sources.indices.contains(index) else { throw AdapterError(.invalid, "the cursor is none of this adapter's") }
    var call = try await call(scope)
    call.variables["since"] = since.map { .string($0.description) } ?? .null
    var (page, next) = try await self.page(sources[index].0, sources[index].1, &call, PageState(cursor?["page"]))
    // Without a feed of changes nothing else tells that a run went from a list that was not read yet to one that was.
    if index > 0, index < file.runs.list.count, file.runs.changes == nil { page.mayHaveSkipped = true }
    if let next {
      page.next = ["source": .int(Int64(index)), "page": next.json]
    } else if index + 1 < sources.count {
      page.next = ["source": .int(Int64(index + 1))]
    }
    return page
  }

  /// One page of rows, mapped. A row that cannot be understood does not hide the others.
  func page(_ list: ListOperation, _ kind: RunKey.Kind, _ call: inout Call, _ state: PageState) async throws(AdapterError) -> (
    RunPage, PageState?
  ) {
    let (block, mapper) = try block(kind)
    guard let answer = try await runner.run(list.chain, &call, page: state) else { return (RunPage(observations: []), nil) }
    let mapping = list.mapping ?? block.mapping
    let after = call.variables
    let name: (CELValue) -> String? = { row in
      var variables = after
      variables["row"] = row
      return (try? mapper.key(mapping, variables))?.description
    }
    let rows = Array(state.fresh(answer.rows ?? [], name: name))
    let marks = kind == .run ? try await marksOf(rows, mapping, mapper, call) : Array(repeating: .null, count: rows.count)
    var page = RunPage(observations: [])
    page.observations.reserveCapacity(rows.count)
    var variables = call.variables
    for (row, mark) in zip(rows, marks) {
      variables["row"] = row
      variables["mark"] = mark
      do throws(ExpressionFailure) {
        let observation = try mapper.observation(mapping, variables)
        if file.scopeRules.contains == nil || (try? contains(template: nil, parent: observation.key.parent, call)) == true {
          page.observations.append(observation)
        }
      } catch {
        let id = (try? mapper.key(mapping, variables))?.description ?? "a row"
        page.unreadable.append("\(id): \(redactor.redact(error.description))")
      }
    }
    let paging = list.chain.requests.last?.paging
    let following = try runner.evaluating { () throws(ExpressionFailure) in
      try state.following(paging, answer: answer, after, name: name)
    }
    page.mayHaveSkipped = following.mayHaveSkipped
    return (page, following.page)
  }

  private func variable(_ submission: Submission) -> CELValue {
    let steps = submission.steps.map { step in
      JSONValue.object([
        "name": .string(step.name), "image": step.image.map { .string($0) } ?? .null, "command": .array(step.command.map { .string($0) }),
        "args": .array(step.args.map { .string($0) }),
        "env": .array(step.environment.map { .object(["name": .string($0.name), "value": .string($0.value)]) }),
      ])
    }
    return .object([
      "key": .string(submission.key), "uid": .string(submission.uid), "template": submission.template.map { .string($0) } ?? .null,
      "parameters": CELValue(.object(submission.parameters)), "steps": CELValue(.array(steps)),
      "timeoutSeconds": submission.timeout.map { .int($0.wholeSeconds) } ?? .null,
      "schedule": submission.schedule.map { .string($0) } ?? .null, "suspended": .bool(submission.suspended),
      "envelope": CELValue(submission.envelope), "requestedBy": .string(submission.requestedBy),
    ])
  }
}
