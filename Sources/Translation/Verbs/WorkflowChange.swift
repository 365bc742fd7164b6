internal import JSON
internal import KubeWire
internal import OrderedCollections

/// The difference between a Workflow and what a client wants it to be, if it can be had at all.
struct WorkflowChange: Sendable {
  /// By key; null removes.
  private(set) var labels = JSONObject()
  private(set) var annotations = JSONObject()
  private(set) var suspend: Bool?
  private(set) var cancel = false

  var changesMetadata: Bool { !labels.isEmpty || !annotations.isEmpty }
  var changesSpec: Bool { suspend != nil || cancel }
  var isEmpty: Bool { !changesMetadata && !changesSpec }

  /// - Throws: what `refuse` makes of the fields that cannot be changed.
  init(from before: JSONValue, to after: JSONValue, group: String, refuse: ([FieldError]) -> StatusError) throws(StatusError) {
    var errors: [FieldError] = []
    let old = before["metadata"]?.object ?? [:]
    let new = after["metadata"]?.object ?? [:]
    labels = Self.difference(old["labels"], new["labels"])
    annotations = Self.difference(old["annotations"], new["annotations"])
    errors += MetadataRules.labelErrors(labels.filter { !$0.value.isNull })
    errors += MetadataRules.annotationErrors(new["annotations"]?.object ?? [:])
    for key in labels.keys where key.hasPrefix(group + "/") {
      errors.append(.forbidden("metadata.labels[\(key)]", "labels that begin with \(group)/ are set by the gateway"))
    }
    for name in Self.changed(old, new) where name != "labels" && name != "annotations" {
      errors.append(.forbidden("metadata.\(name)", "cannot be changed after creation"))
    }
    let oldSpec = before["spec"]?.object ?? [:]
    let newSpec = after["spec"]?.object ?? [:]
    for name in Self.changed(oldSpec, newSpec) {
      switch name {
      case "suspend": suspend = newSpec["suspend"]?.bool ?? false
      case "cancel":
        cancel = newSpec["cancel"]?.bool ?? false
        if !cancel { errors.append(.forbidden("spec.cancel", "a cancel cannot be taken back; use the retry subresource")) }
      default:
        errors.append(
          .forbidden(
            "spec.\(name)", "cannot be changed after submission: the engine has it already; delete the Workflow and create it anew"))
      }
    }
    if suspend == (oldSpec["suspend"]?.bool ?? false) { suspend = nil }
    if !errors.isEmpty { throw refuse(errors) }
  }

  /// Remembers it beside the run.
  func apply(to overlay: inout Overlay) {
    for (member, patch) in [("labels", labels), ("annotations", annotations)] where !patch.isEmpty {
      var kept = overlay.json[member]?.object ?? [:]
      // A null stays: it takes away what the envelope has.
      for (key, value) in patch { kept[key] = value }
      overlay.json[member] = .object(kept)
    }
    if cancel { overlay.json["spec"] = ["cancel": true] }
    if changesSpec { overlay.json["generation"] = .int(overlay.generation + 1) }
  }

  private static func difference(_ old: JSONValue?, _ new: JSONValue?) -> JSONObject {
    let before = old?.object ?? [:]
    let after = new?.object ?? [:]
    var patch = JSONObject()
    for (key, value) in after where before[key] != value { patch[key] = value }
    for key in before.keys where after[key] == nil { patch[key] = .null }
    return patch
  }

  private static func changed(_ old: JSONObject, _ new: JSONObject) -> [String] {
    let names = Array(old.keys) + new.keys.filter { old[$0] == nil }
    return names.filter { old[$0] != new[$0] }
  }
}
