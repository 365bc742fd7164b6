import JSON

/// A Validating- or MutatingAdmissionPolicyBinding.
struct PolicyBinding: Sendable {
  let name: String
  let policy: String
  let paramRef: JSONValue?
  /// nil for everything that the policy applies to.
  let matcher: Matcher?
  /// Deny, Warn, Audit; only of validating bindings.
  let actions: [String]

  init(_ object: JSONValue) {
    let spec = object["spec"]
    name = object["metadata"]?["name"]?.string ?? ""
    policy = spec?["policyName"]?.string ?? ""
    paramRef = spec?["paramRef"]
    matcher = spec?["matchResources"].flatMap { $0.object == nil ? nil : Matcher(resources: $0) }
    actions = spec?.strings("validationActions") ?? []
  }
}
