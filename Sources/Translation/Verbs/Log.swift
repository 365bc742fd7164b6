package import AdapterKit
package import KubeWire

extension Gateway {
  /// GET …/log: the run's output as plain text.
  ///
  /// - Throws: 405 where the engine gives no logs, 404 for an unknown step.
  package func log(namespace: String, name: String, options: LogOptions, context: RequestContext) async throws(StatusError) -> LogStream {
    let current = try await get(.workflows, namespace: namespace, name: name, options: GetOptions(resourceVersion: "0"), context: context)
    let (bound, ref) = try located(uid: current.draft.uid, name: name)
    guard let logs = bound.abilities.logs else {
      throw .methodNotSupported(
        "log", resource: "workflows", group: group,
        advice: bound.adapter.traits.limitations["log"] ?? "\(bound.adapter.traits.engine) gives no logs")
    }
    guard ref.key.kind == .run else {
      throw .methodNotSupported("log", resource: "workflows", group: group, advice: "a schedule has no log; its runs have")
    }
    do throws(AdapterError) {
      return try await logs.log(ref.key, options, scope: bound.info.scope)
    } catch {
      if error.code == .notFound, let step = options.step {
        let steps = (store.run(ref)?.steps ?? []).map(\.name).joined(separator: ", ")
        throw .badRequest("there is no log of a step \"\(step)\"; the steps are: \(steps)")
      }
      throw bound.refusal(name, group: group).status(error, isWrite: false)
    }
  }
}
