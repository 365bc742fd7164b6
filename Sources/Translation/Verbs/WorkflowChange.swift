internal import JSON
internal import KubeWire
internal import OrderedCollections

/// The difference between a Workflow and what a client wants it to be, if it can be had at all.
struct WorkflowChange: Sendable {
  /// All of it, as it is to be.
  let metadata: KeptMetadata
  /// The fields of the metadata that differ.
  private(set) var changedMetadata: [String] = []
  /// What the members of the spec that can change are to be (``Overlay/specMembers``), where they differ; null: gone.
  private(set) var spec = JSONObject()

  var changesMetadata: Bool { !changedMetadata.isEmpty }
  var isEmpty: Bool { !changesMetadata && spec.isEmpty }
  /// Whether the run is to be held from now on; nil when nothing is said of it.
  var suspend: Bool? { spec["suspend"].map { $0.bool ?? false } }
  var cancel: Bool { spec["cancel"]?.bool ?? false }

  /// - Parameters:
  ///   - before: the whole object as it is.
  ///   - after: what the client sent; what the server owns in it is not looked at (kubernetes-wire C15).
  /// - Throws: what `refuse` makes of the fields that cannot be changed.
  init(from before: JSONValue, to after: JSONValue, group: String, refuse: ([FieldError]) -> StatusError) throws(StatusError) {
    let old = KeptMetadata(of: before["metadata"], group: group)
    metadata = KeptMetadata(of: after["metadata"], group: group)
    if old.labels != metadata.labels { changedMetadata.append("labels") }
    if !old.annotations.hasSameBytes(as: metadata.annotations) { changedMetadata.append("annotations") }
    if old.ownerReferences != metadata.ownerReferences { changedMetadata.append("ownerReferences") }
    if old.finalizers != metadata.finalizers { changedMetadata.append("finalizers") }
    var errors = Self.metadataErrors(before["metadata"], after["metadata"], group: group)
    if before["metadata"]?["deletionTimestamp"] != nil {
      let new = metadata.finalizers.filter { !old.finalizers.contains($0) }
      if !new.isEmpty {
        let list = new.map { GoText.quoted($0) }.joined(separator: ", ")
        errors.append(
          .forbidden(
            "metadata.finalizers",
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{\(list)}"))
      }
    }
    let oldSpec = before["spec"]?.object ?? [:]
    let newSpec = after["spec"]?.object ?? [:]
    for name in Array(oldSpec.keys) + newSpec.keys.filter({ oldSpec[$0] == nil })
    where oldSpec[name]?.canonical != newSpec[name]?.canonical {
      guard Overlay.specMembers.contains(name) else {
        errors.append(
          .forbidden(
            "spec.\(name)", "cannot be changed after submission: the engine has it already; delete the Workflow and create it anew"))
        continue
      }
      spec[name] = newSpec[name] ?? .null
      if name == "cancel", !cancel, oldSpec[name]?.bool == true {
        errors.append(.forbidden("spec.cancel", "a cancel cannot be taken back; use the retry subresource"))
      }
    }
    if !errors.isEmpty { throw refuse(errors) }
  }

  /// The rules for metadata hold for all of it, whether it changed or not (ValidateObjectMetaUpdate).
  private static func metadataErrors(_ before: JSONValue?, _ after: JSONValue?, group: String) -> [FieldError] {
    var metadata = after?.object ?? [:]
    metadata["generateName"] = nil
    metadata["name"] = before?["name"]
    var errors = MetadataRules.errors(in: metadata)
    // Those that the client left out are set again; those that it changed are refused.
    for (key, value) in metadata["labels"]?.object ?? [:] where key.hasPrefix(group + "/") && before?["labels"]?[key] != value {
      errors.append(.forbidden("metadata.labels[\(key)]", "labels that begin with \(group)/ are set by the gateway"))
    }
    return errors
  }

  /// Remembers it beside the run.
  func apply(to overlay: inout Overlay, over envelope: Envelope?) {
    if changesMetadata { metadata.keep(in: &overlay, over: envelope) }
    guard !spec.isEmpty else { return }
    for (name, value) in spec {
      // As it was submitted: nothing to remember.
      if let envelope, envelope.spec[name] ?? .null == value { overlay.spec.removeValue(forKey: name) } else { overlay.spec[name] = value }
    }
    overlay.generation += 1
  }
}
