package import JSON
internal import OrderedCollections

/// The rules for the metadata that a client sends (kubernetes-wire C9, C12), as ValidateObjectMeta applies them.
package enum MetadataRules {
  package static let maximumAnnotationBytes = 256 * 1024

  /// All faults at once, in the order of the fields. Types are expected to be right already.
  package static func errors(in metadata: JSONObject) -> [FieldError] {
    var errors: [FieldError] = []
    let name = metadata["name"]?.string ?? ""
    if let base = metadata["generateName"]?.string, !base.isEmpty {
      // A base may end in "-", which its generated end then follows.
      let probe = base.hasSuffix("-") ? String(base.dropLast()) + "a" : base
      errors += Names.subdomainErrors(probe).map { .invalid("metadata.generateName", .string(base), $0) }
    }
    if name.isEmpty {
      if (metadata["generateName"]?.string ?? "").isEmpty { errors.append(.required("metadata.name", "name or generateName is required")) }
    } else {
      errors += Names.subdomainErrors(name).map { .invalid("metadata.name", .string(name), $0) }
    }
    errors += labelErrors(metadata["labels"]?.object ?? [:])
    errors += annotationErrors(metadata["annotations"]?.object ?? [:])
    errors += OwnerReferences.errors(metadata["ownerReferences"]?.array ?? [])
    errors += Finalizers.errors(metadata["finalizers"]?.array ?? [])
    return errors
  }

  package static func labelErrors(_ labels: JSONObject, field: String = "metadata.labels") -> [FieldError] {
    var errors: [FieldError] = []
    for (key, value) in labels {
      errors += Names.qualifiedNameErrors(key).map { .invalid(field, .string(key), $0) }
      errors += Names.labelValueErrors(value.string ?? "").map { .invalid(field, value, $0) }
    }
    return errors
  }

  package static func annotationErrors(_ annotations: JSONObject, field: String = "metadata.annotations") -> [FieldError] {
    var errors: [FieldError] = []
    var total = 0
    for (key, value) in annotations {
      errors += Names.qualifiedNameErrors(lowercased(key)).map { .invalid(field, .string(key), $0) }
      total += key.utf8.count + (value.string ?? "").utf8.count
    }
    if total > maximumAnnotationBytes { errors.append(.tooLong(field, maximumBytes: maximumAnnotationBytes)) }
    return errors
  }

  private static func lowercased(_ key: String) -> String { key.lowercased() }
}
