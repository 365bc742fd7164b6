internal import JSON
internal import KubeWire
internal import OrderedCollections

/// What clients may say about a run beside its spec: those parts of the metadata that are theirs.
struct KeptMetadata: Sendable, Hashable {
  var labels: [String: String]
  var annotations: [String: String]
  /// With their members in canonical order.
  var ownerReferences: [JSONValue]
  var finalizers: [String]

  static let members = ["labels", "annotations", "ownerReferences", "finalizers"]

  /// An empty collection is none: it is neither a change nor anybody's field, as ObjectMeta drops it when it is read.
  static func withoutEmpty(_ metadata: JSONValue?) -> JSONValue? {
    guard var kept = metadata?.object else { return metadata }
    for member in members {
      guard let value = kept[member], value.isNull || value == .emptyObject || value == [] else { continue }
      kept.removeValue(forKey: member)
    }
    return .object(kept)
  }

  /// As it holds now.
  init(_ envelope: Envelope?, _ overlay: Overlay) {
    labels = Self.patched(envelope?.labels, overlay.json["labels"])
    annotations = Self.patched(envelope?.annotations, overlay.json["annotations"])
    ownerReferences = (overlay.ownerReferences ?? envelope?.ownerReferences?.array ?? []).map(\.canonical)
    finalizers = overlay.finalizers ?? envelope?.finalizers ?? []
  }

  /// As an object says. Labels that the gateway sets are left out.
  init(of metadata: JSONValue?, group: String) {
    labels = Envelope.strings(metadata?["labels"]).filter { !$0.key.hasPrefix(group + "/") }
    annotations = Envelope.strings(metadata?["annotations"])
    ownerReferences = (metadata?["ownerReferences"]?.array ?? []).map(\.canonical)
    finalizers = metadata?["finalizers"]?.array?.compactMap(\.string) ?? []
  }

  /// Remembers in the overlay what differs from the envelope, and nothing else.
  func keep(in overlay: inout Overlay, over envelope: Envelope?) {
    overlay.json["labels"] = Self.patch(envelope?.labels ?? [:], labels)
    overlay.json["annotations"] = Self.patch(envelope?.annotations ?? [:], annotations)
    overlay.ownerReferences = ownerReferences == (envelope?.ownerReferences?.array ?? []).map(\.canonical) ? nil : ownerReferences
    overlay.finalizers = finalizers == envelope?.finalizers ?? [] ? nil : finalizers
  }

  private static func patched(_ strings: [String: String]?, _ patch: JSONValue?) -> [String: String] {
    var strings = strings ?? [:]
    for (key, value) in patch?.object ?? [:] { strings[key] = value.string }
    return strings
  }

  /// nil when nothing differs. In the order of the keys, so that the same change is the same document.
  private static func patch(_ old: [String: String], _ new: [String: String]) -> JSONValue? {
    var patch = JSONObject()
    for key in Set(old.keys).union(new.keys).sorted() where old[key].map(JSONValue.string) != new[key].map(JSONValue.string) {
      patch[key] = new[key].map { .string($0) } ?? .null
    }
    return patch.isEmpty ? nil : .object(patch)
  }
}
