package import AdapterKit
internal import CEL
internal import JSON

extension DeclarativeAdapter: Cancelling, Deleting, Retrying, Suspending, StateSetting {
  package func cancel(_ key: RunKey, uid: String, reason: String, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await act(key, scope, \.cancel, "cancel", ["uid": .string(uid), "reason": .string(reason)])
  }

  package func retry(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await act(key, scope, \.retry, "retry", [:])
  }

  package func setSuspended(_ suspended: Bool, _ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await act(key, scope, suspended ? \.suspend : \.resume, "suspend", [:])
  }

  package func setState(_ phase: RunPhase, _ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await act(key, scope, \.setState, "setState", ["phase": .string(phase.rawValue)])
  }

  package func delete(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) {
    let (block, _) = try block(key.kind)
    guard let chain = block.delete else { throw unsupported("delete") }
    var call = try await call(key, scope)
    try await runner.run(chain, &call)
  }

  private func act(
    _ key: RunKey, _ scope: AdapterScope, _ path: any KeyPath<RunBlock, RunOperation?> & Sendable, _ name: String,
    _ more: [String: CELValue]
  ) async throws(AdapterError) -> Observation? {
    let (block, mapper) = try block(key.kind)
    guard let operation = block[keyPath: path] else { throw unsupported(name) }
    var call = try await call(key, scope)
    for (name, value) in more { call.variables[name] = value }
    return try await perform(operation, mapper, &call)
  }
}
