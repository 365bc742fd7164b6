internal import AdapterKit
internal import KubeWire

extension Gateway {
  /// What an engine's refusal of a write to an object that is shown becomes.
  ///
  /// One 404 of an engine proves nothing, it can also mean "you may not see it" (design §5), and the cluster's garbage collector acts on ours. A run that
  /// is proven gone is forgotten, so that watchers learn it, and the answer is 404; else it is 503.
  ///
  /// - Parameter wroteNothing: before the call that was refused; only then clients are invited to try again.
  func refused(_ error: AdapterError, _ ref: RunRef, name: String, bound: Bound, wroteNothing: Bool = true) async -> StatusError {
    let refusal = bound.refusal(name, group: group)
    guard error.code == .notFound, !error.inDoubt else { return refusal.status(error, isWrite: true) }
    if (try? await isProvenGone(ref, bound: bound)) ?? false {
      bound.driver.forget(ref.key)
      return .notFound(resource: "workflows", group: group, name: name)
    }
    return refusal.unproven(error, retryAfter: wroteNothing ? 1 : nil)
  }

  /// The run answers 404 while what it lives in is readable with the same credentials.
  func isProvenGone(_ ref: RunRef, bound: Bound) async throws(AdapterError) -> Bool {
    do throws(AdapterError) {
      _ = try await bound.adapter.get(ref.key, scope: bound.info.scope)
      return false
    } catch {
      guard error.code == .notFound else { throw error }
    }
    return try await bound.adapter.parentIsReadable(ref.key, scope: bound.info.scope)
  }
}
