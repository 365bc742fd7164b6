internal import JSON
internal import KubeWire
internal import OrderedCollections

/// Who set which fields of a Workflow. What was set at its creation follows from the envelope; only what changed later is kept.
struct FieldOwnership: Sendable {
  let fields: FieldManager

  init(group: String, apiVersion: String) {
    fields = FieldManager(schema: KindDescription.workflow(group: group).schema, apiVersion: apiVersion)
  }

  func account(_ envelope: Envelope?, _ overlay: Overlay) -> ManagedFields {
    if let kept = overlay.managedFields { return ManagedFields(compact: kept) }
    return envelope.map(ofCreation) ?? ManagedFields()
  }

  /// Whoever made the object owns every field that it was submitted with.
  private func ofCreation(_ envelope: Envelope) -> ManagedFields {
    guard let manager = envelope.manager else { return ManagedFields() }
    let object = envelope.object
    if envelope.managerOperation == "Apply" {
      let made = try? fields.apply(
        object, to: nil, managed: ManagedFields(), manager: manager, force: false, now: envelope.submittedAt)
      return made?.managed ?? ManagedFields()
    }
    return fields.created(object, manager: manager, now: envelope.submittedAt)
  }

  /// Remembers an account, unless it is the creation's.
  func keep(_ account: ManagedFields, in overlay: inout Overlay, over envelope: Envelope?) {
    overlay.managedFields = nil
    if account != self.account(envelope, overlay) { overlay.managedFields = account.compact ?? [] }
  }
}
