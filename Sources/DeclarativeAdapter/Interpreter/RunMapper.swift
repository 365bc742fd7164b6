internal import AdapterKit
internal import CEL
internal import JSON
internal import OrderedCollections

/// Makes observations of rows.
struct RunMapper: Sendable {
  let block: RunBlock
  let kind: RunKey.Kind
  /// The name under which errors speak of the adapter.
  let adapter: String

  func key(_ mapping: RunMapping, _ variables: CELVariables) throws(ExpressionFailure) -> RunKey {
    guard let id = try mapping.id.text(variables) else { throw mapping.id.failure("is empty; every run needs an id") }
    return RunKey(kind: kind, parent: try mapping.parent?.text(variables) ?? "", id: id)
  }

  /// - Parameters:
  ///   - variables: with `row` and `mark` set.
  ///   - steps: the rows of the steps where they came apart from the run.
  func observation(_ mapping: RunMapping, _ variables: CELVariables, steps: [CELValue]? = nil) throws(ExpressionFailure) -> Observation {
    var observation = Observation(
      key: try key(mapping, variables), identity: try identity(mapping, variables), attempt: try attempt(mapping, variables),
      order: try order(mapping, variables), core: .present(try core(mapping, variables)), envelope: try facet(mapping.envelope, variables),
      overlay: try facet(mapping.overlay, variables))
    observation.isRebuild = try mapping.rebuild?.flag(variables) ?? false
    var rows = steps
    if rows == nil, let own = mapping.steps, let value = try own.evaluate(variables), !value.isNothing { rows = try own.rows(variables) }
    if let rows, let map = block.stepMapping {
      var variables = variables
      var found: [RunStep] = []
      for row in rows {
        variables["step"] = row
        found.append(try step(map, variables))
      }
      observation.steps = .present(found)
    }
    return observation
  }

  func identity(_ mapping: RunMapping, _ variables: CELVariables) throws(ExpressionFailure) -> String {
    guard let value = try mapping.identity.json(variables) else {
      throw mapping.identity.failure("is null; without it a run has no lasting uid")
    }
    if let elements = value.array, elements.contains(where: \.isNull) { throw mapping.identity.failure("holds null: \(value.text)") }
    let text = value.string ?? value.text
    // A schedule and a run may have the same id.
    return kind == .schedule ? "schedule " + text : text
  }

  func attempt(_ mapping: RunMapping, _ variables: CELVariables) throws(ExpressionFailure) -> Attempt {
    switch mapping.attempt {
    case .unknown: .unknown
    case .number(let number): try number.int(variables).map { .number($0) } ?? .unknown
    case .since(let time): try time.time(variables).map { .since($0) } ?? .unknown
    }
  }

  private func order(_ mapping: RunMapping, _ variables: CELVariables) throws(ExpressionFailure) -> EngineOrder? {
    switch mapping.order {
    case nil: nil
    case .sequence(let number)?: try number.int(variables).map { .sequence($0) }
    case .time(let time)?: try time.time(variables).map { .time($0) }
    }
  }

  private func meaning(_ state: ValueTemplate, _ table: StateTable, _ variables: CELVariables) throws(ExpressionFailure) -> (
    String, StateTable.Meaning
  ) {
    let raw = try state.text(variables) ?? "none"
    guard let meaning = table.meaning(of: raw) else {
      throw state.failure("unknown state '\(raw)'; known are \(table.states.keys.joined(separator: ", "))")
    }
    return (raw, meaning)
  }

  private func core(_ mapping: RunMapping, _ variables: CELVariables) throws(ExpressionFailure) -> RunCore {
    let (raw, meaning) = try meaning(mapping.state, mapping.states, variables)
    var core = RunCore(phase: meaning.phase, rawState: raw)
    core.suspended = try mapping.suspended?.flag(variables) ?? false
    core.reason = try mapping.reason?.text(variables) ?? meaning.reason
    if core.phase == .failed, core.reason == nil, try mapping.cancelled?.flag(variables) ?? false { core.reason = "Cancelled" }
    if core.suspended, core.reason == nil, !core.phase.isTerminal { core.reason = "Suspended" }
    core.message = try mapping.message?.text(variables).map { String($0.prefix(1024)) }
    core.createdAt = try mapping.createdAt?.time(variables)
    core.startedAt = try mapping.startedAt?.time(variables)
    core.finishedAt = core.phase.isTerminal ? try mapping.finishedAt?.time(variables) : nil
    core.template = try mapping.template?.text(variables)
    core.trigger = try mapping.trigger?.text(variables)
    core.url = try mapping.url?.text(variables)
    if let done = try mapping.progressDone?.int(variables), let total = try mapping.progressTotal?.int(variables) {
      core.progress = RunProgress(done: Int(clamping: done), total: Int(clamping: total))
    }
    core.parameters = try mapping.parameters?.json(variables)
    core.labels = try mapping.labels?.texts(variables) ?? [:]
    core.scheduledBy = try mapping.scheduledBy?.text(variables)
    core.schedule = try mapping.schedule?.text(variables)
    core.lastScheduleTime = try mapping.lastScheduleTime?.time(variables)
    core.nextRunTime = try mapping.nextRunTime?.time(variables)
    return core
  }

  private func facet(_ field: RunMapping.FacetField, _ variables: CELVariables) throws(ExpressionFailure) -> Facet<JSONValue> {
    guard case .value(let value, let seen) = field else { return .unseen }
    if let seen, try !seen.flag(variables) { return .unseen }
    return try value.json(variables).map { .present($0) } ?? .absent
  }

  private func step(_ map: StepMapping, _ variables: CELVariables) throws(ExpressionFailure) -> RunStep {
    let (raw, meaning) = try meaning(map.state, map.states, variables)
    return RunStep(
      name: try map.name.text(variables) ?? "", phase: meaning.phase, rawState: raw,
      message: try map.message?.text(variables) ?? meaning.reason,
      startedAt: try map.startedAt?.time(variables), finishedAt: try map.finishedAt?.time(variables))
  }
}

extension RunMapper {
  func identityAndAttempt(_ mapping: RunMapping, _ variables: CELVariables) throws(ExpressionFailure) -> (String, Attempt) {
    (try identity(mapping, variables), try attempt(mapping, variables))
  }
}
