package import JSON

extension Gateway {
  /// The creationTimestamp of a namespace that is there. Before it is shown, if it was hidden: Workflows that ended before it was made are not its own.
  package func setNamespace(_ name: String, created: Timestamp) { store.setNamespace(name, created: created, now: clock.now) }

  /// The namespaces that show runs of an engine, in order.
  package var boundNamespaces: [String] { Set(bindings.map(\.info.namespace)).sorted() }

  /// How many Workflows are shown in a namespace, those of the given names left out; for quotas.
  package func countWorkflows(in namespace: String, besides names: Set<String>) -> Int {
    store.read { state in
      let shown = state.objects[.workflows]
      return shown.objects[shown.range(namespace: namespace)].count { !names.contains($0.draft.name) }
    }
  }
}
