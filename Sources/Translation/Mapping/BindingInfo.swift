package import AdapterKit

/// One binding with what the verbs and the projection need of its configuration.
package struct BindingInfo: Sendable {
  package enum Access: String, Sendable { case observe = "Observe", submit = "Submit", manage = "Manage" }
  package enum DeletionPolicy: String, Sendable { case delete = "Delete", retain = "Retain" }

  package var name: String
  package var backend: String
  package var namespace: String
  package var scope: AdapterScope
  package var access: Access
  package var deletionPolicy: DeletionPolicy
  package var inlineSteps: Bool
  /// Writes need the verb `use` on the backend.
  package var requiresUse: Bool
  /// The engine has a place for what changes after a submission (``AdapterKit/OverlayKeeping``).
  package var keepsOverlays: Bool

  /// Whether a run can be changed: with `Submit` only one that was submitted here.
  func allowsWrites(isOurs: Bool) -> Bool { access == .manage || access == .submit && isOurs }

  package init(
    name: String, backend: String, namespace: String, scope: AdapterScope, access: Access, deletionPolicy: DeletionPolicy,
    inlineSteps: Bool,
    requiresUse: Bool = false, keepsOverlays: Bool = true
  ) {
    self.name = name
    self.backend = backend
    self.namespace = namespace
    self.scope = scope
    self.access = access
    self.deletionPolicy = deletionPolicy
    self.inlineSteps = inlineSteps
    self.requiresUse = requiresUse
    self.keepsOverlays = keepsOverlays
  }
}
