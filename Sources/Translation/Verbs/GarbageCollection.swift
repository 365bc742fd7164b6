internal import JSON
internal import KubeWire
internal import OrderedCollections

/// The finalizers by which the cluster's garbage collector is asked to deal with dependents before an object goes (kubernetes-wire C26).
enum GarbageCollection {
  static let orphan = "orphan"
  static let foreground = "foregroundDeletion"

  /// The finalizers that a deletion leaves on an object, by the rules of kube-apiserver (registry/store.go, deletionFinalizersForGarbageCollection): an
  /// explicit policy decides, without one those that are there stay.
  static func finalizers(_ object: ObjectDraft, _ options: DeleteOptions) -> [String] {
    finalizers(object.metadata["finalizers"]?.array?.compactMap(\.string) ?? [], options)
  }

  static func finalizers(_ present: [String], _ options: DeleteOptions) -> [String] {
    var finalizers = present.filter { $0 != orphan && $0 != foreground }
    switch options.effectivePolicy {
    case .orphan: finalizers.append(orphan)
    case .foreground: finalizers.append(foreground)
    case .background: break
    case nil:
      if present.contains(orphan) { finalizers.append(orphan) }
      if present.contains(foreground) { finalizers.append(foreground) }
    }
    // Their order is the client's as long as they are the same ones.
    return Set(finalizers) == Set(present) ? present : finalizers
  }
}
