package import JSON
internal import OrderedCollections

/// The rules for `metadata.ownerReferences` (kubernetes-wire C12).
package enum OwnerReferences {
  private static let field = "metadata.ownerReferences"
  /// In the order in which Kubernetes shows them.
  private static let members = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"]

  static func errors(_ owners: [JSONValue]) -> [FieldError] {
    var errors: [FieldError] = []
    var controllers: [String] = []
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
      if owner["controller"]?.bool == true { controllers.append("\(text("kind"))/\(text("name"))") }
    }
    // Once, however many there are: it shows all owners.
    if controllers.count > 1 {
      errors.append(
        .invalid(
          field, .array(owners.map(ordered)),
          "Only one reference can have Controller set to true. Found \"true\" in references for \(controllers[0]) and \(controllers[1])"))
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
