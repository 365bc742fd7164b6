package import JSON

/// An apply would change what others set; nothing was done (kubernetes-wire S5).
package struct ApplyConflict: Error, Sendable, Hashable {
  package struct Conflict: Sendable, Hashable {
    /// Who has the field, with what, through which apiVersion and subresource, and since when.
    package var manager: String
    package var operation: ManagedFields.Operation
    package var apiVersion: String
    package var subresource: String
    package var time: Timestamp?
    package var path: [PathElement]

    /// As messages show it: `.spec.suspend`.
    package var pathText: String { path.text }

    init(_ entry: ManagedFields.Entry, _ path: [PathElement]) {
      manager = entry.manager
      operation = entry.operation
      apiVersion = entry.apiVersion
      subresource = entry.subresource
      time = entry.time
      self.path = path
    }

    /// `"kubectl" with subresource "status" using v1`; those who apply are known by their name alone. No time: Kubernetes knows none here.
    var holder: String {
      var text = GoText.quoted(manager)
      if !subresource.isEmpty { text += " with subresource \(GoText.quoted(subresource))" }
      if operation == .update { text += " using \(apiVersion)" }
      return text
    }
  }

  /// At least one, by manager and path.
  package let conflicts: [Conflict]

  init(_ conflicts: [Conflict]) {
    // A stable order for those of one holder, which are in the order of their paths.
    self.conflicts = conflicts.enumerated().sorted { a, b in
      let (left, right) = (a.element, b.element)
      if left.manager != right.manager { return left.manager.precedesInBytes(right.manager) }
      if left.operation != right.operation { return left.operation == .apply }
      if left.subresource != right.subresource { return left.subresource.precedesInBytes(right.subresource) }
      return a.offset < b.offset
    }.map(\.element)
  }

  /// The message of the Status.
  package var message: String {
    if conflicts.count == 1 { return "Apply failed with 1 conflict: conflict with \(conflicts[0].holder): \(conflicts[0].pathText)" }
    var lines: [String] = []
    var last: String?
    for conflict in conflicts {
      if conflict.holder != last { lines.append("conflicts with \(conflict.holder):") }
      last = conflict.holder
      lines.append("- \(conflict.pathText)")
    }
    return "Apply failed with \(conflicts.count) conflicts: \(lines.joined(separator: "\n"))"
  }

  /// One for each field; kubectl shows them.
  package var causes: [Status.Cause] {
    conflicts.map { Status.Cause(reason: "FieldManagerConflict", message: "conflict with \($0.holder)", field: $0.pathText) }
  }

  /// 409 with reason Conflict.
  package var statusError: StatusError {
    StatusError(Status(code: 409, reason: "Conflict", message: message, details: Status.Details(causes: causes)))
  }
}
