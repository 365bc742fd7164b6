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
    errors += ownerErrors(metadata["ownerReferences"]?.array ?? [])
    for (index, finalizer) in (metadata["finalizers"]?.array ?? []).enumerated() {
      let text = finalizer.string ?? ""
      for message in Names.qualifiedNameErrors(text) { errors.append(.invalid("metadata.finalizers[\(index)]", .string(text), message)) }
    }
    let finalizers = metadata["finalizers"]?.array ?? []
    if finalizers.contains("orphan"), finalizers.contains("foregroundDeletion") {
      errors.append(
        .invalid("metadata.finalizers", .array(finalizers), "finalizer orphan and foregroundDeletion cannot be both set"))
    }
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

  private static func ownerErrors(_ owners: [JSONValue]) -> [FieldError] {
    var errors: [FieldError] = []
    var controllers: [String] = []
    for (index, owner) in owners.enumerated() {
      let field = "metadata.ownerReferences[\(index)]"
      for member in ["apiVersion", "kind", "name", "uid"] where (owner[member]?.string ?? "").isEmpty {
        errors.append(.required("\(field).\(member)", "must not be empty"))
      }
      if owner["controller"]?.bool == true { controllers.append("\(owner["kind"]?.string ?? "")/\(owner["name"]?.string ?? "")") }
    }
    if controllers.count > 1 {
      errors.append(
        .invalid(
          "metadata.ownerReferences", .array(owners),
          "Only one reference can have Controller set to true. Found \"true\" in references for \(controllers[0]) and \(controllers[1])"))
    }
    return errors
  }
}
