package import JSON
internal import OrderedCollections

/// The rules for `metadata.ownerReferences` (kubernetes-wire C12).
package enum OwnerReferences {
  private static let field = "metadata.ownerReferences"
  /// In the order in which Kubernetes shows them.
  private static let members = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"]

  static func errors(_ owners: [JSONValue]) -> [FieldError] {
    var errors: [FieldError] = []
    var controller: String?
    for owner in owners {
      func text(_ member: String) -> String { owner[member]?.string ?? "" }
      if !hasVersion(text("apiVersion")) {
        errors.append(.invalid("\(field).apiVersion", .string(text("apiVersion")), "version must not be empty"))
      }
      for member in ["kind", "name", "uid"] where text(member).isEmpty {
        errors.append(.invalid("\(field).\(member)", "", "must not be empty"))
      }
      if text("apiVersion") == "v1", text("kind") == "Event" {
        errors.append(.invalid(field, ordered(owner), "/v1, Kind=Event is disallowed from being an owner"))
      }
      guard owner["controller"]?.bool == true else { continue }
      let name = "\(text("kind"))/\(text("name"))"
      guard let first = controller else {
        controller = name
        continue
      }
      errors.append(
        .invalid(
          field, .array(owners.map(ordered)),
          "Only one reference can have Controller set to true. Found \"true\" in references for \(first) and \(name)"))
    }
    return errors
  }

  /// Takes equal references out of an object, all but the first.
  ///
  /// - Returns: the Warning that says so; nil when there are none.
  package static func removeDuplicates(of object: inout JSONValue) -> String? {
    guard let owners = object["metadata"]?["ownerReferences"]?.array else { return nil }
    var seen = Set<JSONValue>()
    var duplicates = Set<String>()
    let kept = owners.filter { owner in
      let isNew = seen.insert(owner.canonical).inserted
      if !isNew { duplicates.insert(owner["uid"]?.string ?? "") }
      return isNew
    }
    guard kept.count < owners.count else { return nil }
    object["metadata"]?["ownerReferences"] = .array(kept)
    return ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such "
      + "requests as early as 1.24; please fix your requests; duplicate UID(s) observed: \(duplicates.sorted().joined(separator: ", "))"
  }

  /// `version` or `group/version`.
  private static func hasVersion(_ apiVersion: String) -> Bool {
    let parts = apiVersion.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count <= 2 && parts.last?.isEmpty == false
  }

  private static func ordered(_ owner: JSONValue) -> JSONValue {
    var object = JSONObject()
    for member in members { object[member] = owner[member] }
    return .object(object)
  }
}
