internal import AdapterKit
internal import JSON
package import KubeWire

extension Gateway {
  /// LIST. Without a resourceVersion and without a continue token each binding in scope is asked what changed; it waits a little and then answers
  /// with what is known and a Warning per binding that is late (design §4.6).
  ///
  /// - Throws: 503 for a scope with a binding that was never read completely, 410 for versions and tokens that left the window.
  package func list(_ resource: Resource, namespace: String?, options: ListOptions, context: RequestContext) async throws(StatusError)
    -> ListResult
  {
    let scope = bindings.filter { (namespace == nil || $0.info.namespace == namespace) && !store.isHidden($0.info.namespace) }
    if let namespace, resource.isNamespaced, !bindings.contains(where: { $0.info.namespace == namespace }) {
      let bound = Set(bindings.map(\.info.namespace)).sorted().joined(separator: ", ")
      context.warn("no engine is bound to namespace \"\(namespace)\"; bound are: \(bound.isEmpty ? "none" : bound)")
    }
    var outcomes: [(Bound, RefreshOutcome)] = []
    if resource == .workflows, options.resourceVersion.isEmpty, options.continueToken.isEmpty {
      outcomes = await withTaskGroup(of: (Bound, RefreshOutcome).self) { group in
        for bound in scope { group.addTask { (bound, await bound.driver.refreshList(startedAfter: context.now, within: Self.patience)) } }
        return await group.reduce(into: []) { $0.append($1) }
      }
    }
    try await waitForVersion(options)
    let result: ListResult
    do throws(StatusError) {
      result = try store.list(resource, namespace: namespace, options: options)
    } catch {
      throw explained(error, outcomes)
    }
    for (bound, outcome) in outcomes { warn(context, bound, outcome) }
    return result
  }

  /// What was never read because its engine cannot be reached says so; repeating the request at once would only make the user wait for the text.
  func explained(_ error: StatusError, _ outcomes: [(Bound, RefreshOutcome)]) -> StatusError {
    let causes = outcomes.compactMap { bound, outcome in
      if case .failed = outcome { bound.text(outcome) } else { nil }
    }
    guard error.code == 503, !causes.isEmpty else { return error }
    return .serviceUnavailable("\(error.status.message); \(causes.sorted().joined(separator: "; "))", retryAfter: nil)
  }

  /// A version that this process has not given out yet may come soon: waits up to 3 s (kubernetes-wire §5 ⁴).
  func waitForVersion(_ options: ListOptions) async throws(StatusError) {
    guard let version = UInt64(options.resourceVersion), version > store.currentVersion else { return }
    _ = await store.reaches(version, within: .seconds(3), clock: clock)
  }
}
