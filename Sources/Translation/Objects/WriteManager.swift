package import KubeWire

/// Who writes, as managedFields name him: `fieldManager` or, without it, the program as User-Agent calls it.
package struct WriteManager: Sendable, Hashable {
  package var name: String
  package var operation: ManagedFields.Operation

  /// - Parameter name: empty where nobody is to be told apart; then nothing is recorded.
  package init(_ name: String, operation: ManagedFields.Operation = .update) {
    self.name = name
    self.operation = operation
  }
}
