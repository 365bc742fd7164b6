package import KubeWire

/// Whether somebody may use a backend at all, beside what he may do in a namespace.
package protocol BackendUse: Sendable {
  /// - Throws: 403 when he may not, 500 when that could not be found out.
  func check(_ user: UserInfo, backend: String) async throws(StatusError)
}

/// Whoever may write in a namespace may use what is bound to it.
package struct EveryBackend: BackendUse {
  package init() {}
  package func check(_ user: UserInfo, backend: String) async throws(StatusError) {}
}

extension Gateway {
  /// Before a write that reaches the engine, where the binding asks for it (`requireUseVerb`).
  func checkUse(_ bound: Bound, _ context: RequestContext) async throws(StatusError) {
    guard bound.info.requiresUse else { return }
    try await backendUse.check(context.user, backend: bound.info.backend)
  }
}
