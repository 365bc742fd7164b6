package import JSON

/// The rules for `metadata.finalizers`, and what it is better not to have in it (kubernetes-wire C12).
package enum Finalizers {
  private static let field = "metadata.finalizers"
  /// More than the headers of an answer have room for.
  private static let maximumWarnings = 100
  /// Those that Kubernetes gives a meaning of their own.
  private static let standard: Set<String> = ["foregroundDeletion", "orphan", "kubernetes"]

  static func errors(_ finalizers: [JSONValue]) -> [FieldError] {
    var errors: [FieldError] = []
    for finalizer in finalizers {
      let text = finalizer.string ?? ""
      errors += Names.qualifiedNameErrors(text).map { .invalid(field, .string(text), $0) }
    }
    if finalizers.contains("orphan"), finalizers.contains("foregroundDeletion") {
      errors.append(.invalid(field, .array(finalizers), "finalizer orphan and foregroundDeletion cannot be both set"))
    }
    return errors
  }

  /// For those that are new and could be anybody's.
  package static func warnings(_ new: JSONValue?, before: JSONValue? = nil) -> [String] {
    let known = standard.union((before?.array ?? []).compactMap(\.string))
    let added = (new?.array ?? []).lazy.compactMap(\.string).filter { !known.contains($0) && !$0.contains("/") }
    return added.prefix(maximumWarnings).map { finalizer in
      let path = finalizer.contains(".") ? " including a path (/)" : ""
      return "\(field): \(GoText.quoted(finalizer)): prefer a domain-qualified finalizer name\(path) to avoid accidental conflicts "
        + "with other finalizer writers"
    }
  }
}
