package import AdapterKit
internal import CEL
internal import JSON

/// An adapter that does what its file says.
package final class DeclarativeAdapter: Adapter {
  package let traits: AdapterTraits
  /// What the engine stands, by its file; nil where that says nothing.
  package let limits: Limits
  package let redactor: Redactor

  /// Hints for the budget of a backend.
  package struct Limits: Sendable, Hashable {
    package var concurrentRequests: Int?
    /// Kept by the adapter itself.
    package var concurrentWrites: Int?
    package var requestsPerSecond: Int?
  }

  let file: AdapterFile
  let context: BackendContext
  let clock: AdapterClock
  let runner: RequestRunner
  let scopes: ScopeCache
  let marks: MarkCache
  let details = DetailsCache()

  init(
    _ file: AdapterFile, _ context: BackendContext, _ clock: AdapterClock, _ redactor: Redactor, traits: AdapterTraits, limits: Limits,
    auth: Auth?
  ) {
    self.file = file
    self.context = context
    self.clock = clock
    self.redactor = redactor
    self.traits = traits
    self.limits = limits
    runner = RequestRunner(
      file, context, clock, redactor, auth: auth, requests: limits.concurrentRequests, writes: limits.concurrentWrites)
    scopes = ScopeCache()
    marks = MarkCache()
  }

  package var abilities: AdapterAbilities {
    var abilities = AdapterAbilities()
    let blocks = [file.runs] + (file.schedules.map { [$0] } ?? [])
    if blocks.contains(where: { $0.cancel != nil }) { abilities.cancelling = self }
    if blocks.contains(where: { $0.delete != nil }) { abilities.deleting = self }
    if blocks.contains(where: { $0.retry != nil }) { abilities.retrying = self }
    if blocks.contains(where: { $0.suspend != nil }) { abilities.suspending = self }
    if blocks.contains(where: { $0.setState != nil }) { abilities.stateSetting = self }
    if file.overlay != nil { abilities.overlays = self }
    if file.runs.changes != nil { abilities.incremental = self }
    if file.templates != nil { abilities.templates = self }
    if file.log != nil { abilities.logs = self }
    return abilities
  }

  package func health() async throws(AdapterError) -> EngineHealth {
    var call = Call(baseVariables(AdapterScope()))
    do throws(AdapterError) {
      try await runner.run(file.health.chain, &call)
      let version = try runner.evaluating { () throws(ExpressionFailure) in try file.health.version?.text(call.variables) }
      let message = try runner.evaluating { () throws(ExpressionFailure) in try file.health.message?.text(call.variables) }
      return EngineHealth(reachable: true, authenticated: true, version: version, message: message)
    } catch {
      if error.code == .cancelled { throw error }
      // The version may be known from a request before the one that failed.
      let version = (try? file.health.version?.text(call.variables)) ?? nil
      switch error.code {
      case .unauthenticated, .forbidden:
        return EngineHealth(reachable: true, authenticated: false, version: version, message: error.message)
      case .unavailable where error.status == nil, .timeout where error.status == nil:
        return EngineHealth(reachable: false, message: error.message)
      default: return EngineHealth(reachable: true, version: version, message: error.message)
      }
    }
  }

  package func parentIsReadable(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Bool {
    guard let chain = file.parent else { return true }
    var call = try await call(scope)
    call.variables["key"] = variable(key)
    do throws(AdapterError) {
      try await runner.run(chain, &call)
      return true
    } catch {
      if error.code == .notFound || error.code == .forbidden { return false }
      throw error
    }
  }

  // MARK: What the operations share

  func block(_ kind: RunKey.Kind) throws(AdapterError) -> (RunBlock, RunMapper) {
    switch kind {
    case .run: return (file.runs, RunMapper(block: file.runs, kind: .run, adapter: file.name))
    case .schedule:
      guard let schedules = file.schedules else { throw unsupported("schedule") }
      return (schedules, RunMapper(block: schedules, kind: .schedule, adapter: file.name))
    }
  }

  func unsupported(_ ability: String) -> AdapterError {
    AdapterError(.unsupported, file.traits.limitations[ability] ?? "\(file.engine) (adapter \(file.name)) has no operation for: \(ability)")
  }

  func baseVariables(_ scope: AdapterScope) -> CELVariables {
    CELVariables([
      "settings": CELValue(context.settings), "scope": CELValue(file.scopeSchema.faults(in: scope.settings, at: "scope").value),
      "backend": .object(["name": .string(context.name), "url": .string(context.url)]), "now": .string(clock.now().description),
      "members": .null,
    ])
  }

  func variable(_ key: RunKey) -> CELValue {
    .object(["kind": .string(key.kind.rawValue), "parent": .string(key.parent), "id": .string(key.id)])
  }

  /// A call with the variables that every expression can use.
  func call(_ scope: AdapterScope) async throws(AdapterError) -> Call {
    var call = Call(baseVariables(scope))
    guard let resolve = file.scopeRules.resolve else { return call }
    if let known = scopes.value(scope, now: clock.now()) {
      call.variables["members"] = known
      return call
    }
    var own = call
    try await runner.run(resolve.chain, &own)
    let members = try runner.evaluating { () throws(ExpressionFailure) in try resolve.value.evaluate(own.variables) ?? .null }
    scopes.keep(members, scope, until: clock.now() + resolve.keep)
    call.variables["members"] = members
    call.renewed = own.renewed
    return call
  }

  /// Whether a run of `parent`, or a template, belongs to the scope of the call.
  func contains(template: String?, parent: String, _ call: Call) throws(AdapterError) -> Bool {
    guard let contains = file.scopeRules.contains else { return true }
    var variables = call.variables
    variables["template"] = template.map { .string($0) } ?? .null
    variables["parent"] = .string(parent)
    return try runner.evaluating { () throws(ExpressionFailure) in try contains.flag(variables) }
  }

  /// A call for one run; a run outside of the scope does not exist for it.
  func call(_ key: RunKey, _ scope: AdapterScope) async throws(AdapterError) -> Call {
    var call = try await call(scope)
    guard try contains(template: nil, parent: key.parent, call) else {
      throw AdapterError(.notFound, "'\(key)' is outside of the scope of this binding")
    }
    call.variables["key"] = variable(key)
    return call
  }

  /// Runs an operation and maps its row.
  func perform(_ operation: RunOperation, _ mapper: RunMapper, _ call: inout Call) async throws(AdapterError) -> Observation? {
    try await runner.run(operation.chain, &call)
    do throws(AdapterError) {
      let row = try runner.evaluating { () throws(ExpressionFailure) in try operation.run?.evaluate(call.variables) }
      guard let row, !row.isNothing else { return nil }
      var steps: [CELValue]?
      if let own = operation.steps {
        let value = try runner.evaluating { () throws(ExpressionFailure) in try own.evaluate(call.variables) }
        if let value, !value.isNothing { steps = try runner.evaluating { () throws(ExpressionFailure) in try own.rows(call.variables) } }
      }
      return try await observation(row, operation.mapping ?? mapper.block.mapping, mapper, call, steps: steps)
    } catch {
      // The engine took the write; only its answer is not understood.
      var error = error
      if call.wrote { error.inDoubt = true }
      throw error
    }
  }

  private func observation(
    _ row: CELValue, _ mapping: RunMapping, _ mapper: RunMapper, _ call: Call, steps: [CELValue]?
  ) async throws(AdapterError) -> Observation {
    let marks = mapper.kind == .run ? try await marksOf([row], mapping, mapper, call) : [.null]
    var variables = call.variables
    variables["row"] = row
    variables["mark"] = marks[0]
    return try runner.evaluating { () throws(ExpressionFailure) in try mapper.observation(mapping, variables, steps: steps) }
  }
}
