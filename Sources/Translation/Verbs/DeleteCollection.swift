internal import AdapterKit
internal import JSON
package import KubeWire

extension Gateway {
  /// DELETE of a collection: what the options select and the binding's `access` allows. Runs that the gateway did not start stay untouched under
  /// `access: Submit`; they are left out of the answer.
  ///
  /// In a namespace that is going, active runs of ours are cancelled, nothing is removed from any engine, and the answer comes at once (design §7). Plugins are not
  /// asked then: what they refuse would keep the namespace for ever.
  package func deleteCollection(namespace: String, list: ListOptions, options: DeleteOptions, context: RequestContext)
    async throws(StatusError)
    -> ListResult
  {
    switch try await namespaces.liveState(of: namespace) {
    case .active: break
    case .terminating: return try await leave(namespace, list: list, cancels: true, dryRun: options.dryRun, context: context)
    case .missing: return try await leave(namespace, list: list, cancels: false, dryRun: options.dryRun, context: context)
    }
    for bound in bindings where bound.info.namespace == namespace { try checkAccess(bound, name: "", write: "deletecollection") }
    var result = try await self.list(.workflows, namespace: namespace, options: list, context: context)
    var deleted: [StoredObject] = []
    var spared = 0
    // Engines are slow, collections large: a few at a time.
    for start in stride(from: 0, to: result.items.count, by: Self.deletionsAtOnce) {
      let some = result.items[start..<min(start + Self.deletionsAtOnce, result.items.count)].filter { object in
        let isSpared = isSpared(object)
        spared += isSpared ? 1 : 0
        return !isSpared
      }
      let outcomes = await withTaskGroup(of: (Int, StatusError?).self) { group in
        for (index, object) in some.enumerated() {
          group.addTask {
            do throws(StatusError) {
              _ = try await self.delete(object, options: options, context: context)
              return (index, nil)
            } catch {
              return (index, error)
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }
      }
      for (index, error) in outcomes {
        switch error?.code {
        case nil: deleted.append(some[index])
        case 404: continue
        default: throw error!
        }
      }
    }
    if spared > 0 {
      context.warn("\(spared) runs were not started by the gateway and stay; deleting them takes access: Manage on the binding")
    }
    result.items = deleted
    return result
  }

  private static let deletionsAtOnce = 8

  /// `access: Submit` leaves alone what was not submitted here.
  private func isSpared(_ object: StoredObject) -> Bool {
    guard let (bound, ref) = try? located(uid: object.draft.uid, name: object.draft.name) else { return false }
    return !bound.info.allowsWrites(isOurs: isOurs(ref))
  }

  /// Hides a namespace that is going or gone, and has its active runs cancelled in the background: engines never block a namespace.
  ///
  /// - Returns: what was still shown in it.
  /// - Throws: when it cannot be found out whether the user may use a backend. Who may not leaves its runs alone, and the namespace goes all the same.
  private func leave(_ namespace: String, list: ListOptions, cancels: Bool, dryRun: Bool, context: RequestContext)
    async throws(StatusError) -> ListResult
  {
    var shown = list
    shown.resourceVersion = "0"
    shown.resourceVersionMatch = ""
    let result = try store.list(.workflows, namespace: namespace, options: shown)
    guard !dryRun else { return result }
    if cancels {
      let selection = ObjectSelection(namespace: namespace, options: list)
      for bound in bindings where bound.info.namespace == namespace && bound.info.access != .observe && bound.abilities.cancelling != nil {
        try await cancelAll(bound, selection, context)
      }
    }
    setNamespace(namespace, isHidden: true)
    return result
  }

  private func cancelAll(_ bound: Bound, _ selection: ObjectSelection, _ context: RequestContext) async throws(StatusError) {
    // Hidden ones cannot be selected any more: a namespace is deleted as a whole.
    let runs = store.activeOwnRuns(bound.id).filter { ref, _ in
      !leaving.owes(ref) && store.object(of: ref).map { selection.matches($0.draft) } ?? true
    }
    guard !runs.isEmpty else { return }
    do throws(StatusError) { try await checkUse(bound, context) } catch {
      guard error.code == 403 else { throw error }
      context.warn(
        "\(runs.count) runs go on in the engine: cancelling them takes the verb use on workflowbackends \"\(bound.info.backend)\"")
      return
    }
    for (ref, uid) in runs {
      leaving.add(LeavingRuns.Run(ref: ref, uid: uid, bound: bound))
      note(bound, ref.key, context)
    }
  }
}
