package import KubeWire

/// What the cluster says of its namespaces.
package protocol NamespaceDirectory: Sendable {
  /// As far as is known here: a watched copy may answer for a namespace that it has.
  ///
  /// - Throws: 503 when it cannot be told; never a guess.
  func state(of namespace: String) async throws(StatusError) -> NamespaceState

  /// Asks the cluster now: what is removed from an engine for a wrong answer is lost.
  ///
  /// - Throws: 503 when it cannot be asked.
  func liveState(of namespace: String) async throws(StatusError) -> NamespaceState
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
  package func liveState(of namespace: String) async throws(StatusError) -> NamespaceState { .active }
}
