package import KubeWire

/// What the cluster says of its namespaces.
package protocol NamespaceDirectory: Sendable {
  /// Asks the cluster now.
  ///
  /// - Throws: 503 when it cannot be asked; never a guess.
  func state(of namespace: String) async throws(StatusError) -> NamespaceState
}

package enum NamespaceState: Sendable, Hashable {
  case active
  /// It has a deletionTimestamp: nothing new may be made in it.
  case terminating
  case missing
}

/// Without a cluster every namespace is there.
package struct AllNamespaces: NamespaceDirectory {
  package init() {}
  package func state(of namespace: String) async throws(StatusError) -> NamespaceState { .active }
}
