package import Translation

/// What is audited and how fully: audit.k8s.io/v1 Policy. The first rule that matches decides; a request that none matches is not audited.
package struct AuditPolicy: Sendable, Hashable {
  package struct GroupResources: Sendable, Hashable {
    /// `*` for all groups; empty for the core group.
    package var group = ""
    /// `workflows`, `workflows/log`, `workflows/*`, `*/status` or `*`; empty for all with their subresources.
    package var resources: [String] = []
    /// Empty for all.
    package var resourceNames: [String] = []

    package init(group: String = "", resources: [String] = [], resourceNames: [String] = []) {
      self.group = group
      self.resources = resources
      self.resourceNames = resourceNames
    }
  }

  /// Each list that is not empty must match.
  package struct Rule: Sendable, Hashable {
    package var level: AuditLevel
    package var users: [String] = []
    package var userGroups: [String] = []
    package var verbs: [String] = []
    package var resources: [GroupResources] = []
    /// The empty text matches requests without a namespace.
    package var namespaces: [String] = []
    package var nonResourceURLs: [String] = []
    package var omitStages: Set<AuditStage> = []
    /// nil for what the policy says.
    package var omitManagedFields: Bool?

    package init(_ level: AuditLevel) { self.level = level }
  }

  /// What the policy wants of one request.
  package struct Decision: Sendable, Hashable {
    package var level: AuditLevel
    package var omitStages: Set<AuditStage>
    package var omitManagedFields: Bool
  }

  package var rules: [Rule]
  package var omitStages: Set<AuditStage> = []
  package var omitManagedFields = false

  package init(rules: [Rule]) { self.rules = rules }

  /// Where a log is wanted and no policy is given: who changed what, one event per request, without bodies. Reads are not written down.
  package static let changes: AuditPolicy = {
    var rule = Rule(.metadata)
    rule.verbs = ["create", "update", "patch", "delete", "deletecollection"]
    rule.resources = [GroupResources(group: "*")]
    var policy = AuditPolicy(rules: [rule])
    policy.omitStages = [.requestReceived]
    return policy
  }()

  /// - Parameter user: nil when nobody was authenticated; then no rule about users matches.
  package func decision(_ user: UserInfo?, _ info: RequestInfo) -> Decision {
    guard let rule = rules.first(where: { Self.matches($0, user, info) }) else {
      return Decision(level: .none, omitStages: omitStages, omitManagedFields: omitManagedFields)
    }
    return Decision(
      level: rule.level, omitStages: omitStages.union(rule.omitStages), omitManagedFields: rule.omitManagedFields ?? omitManagedFields)
  }

  private static func matches(_ rule: Rule, _ user: UserInfo?, _ info: RequestInfo) -> Bool {
    if !rule.users.isEmpty {
      guard let user, rule.users.contains(user.name) else { return false }
    }
    if !rule.userGroups.isEmpty {
      guard let user, user.groups.contains(where: rule.userGroups.contains) else { return false }
    }
    if !rule.verbs.isEmpty, !rule.verbs.contains(info.verb) { return false }
    if !rule.namespaces.isEmpty || !rule.resources.isEmpty { return matchesResource(rule, info) }
    if !rule.nonResourceURLs.isEmpty {
      return !info.isResourceRequest && rule.nonResourceURLs.contains { matchesPath($0, info.path) }
    }
    return true
  }

  private static func matchesPath(_ pattern: String, _ path: String) -> Bool {
    pattern == path || pattern.hasSuffix("*") && path.hasPrefix(pattern.dropLast())
  }

  private static func matchesResource(_ rule: Rule, _ info: RequestInfo) -> Bool {
    guard info.isResourceRequest else { return false }
    if !rule.namespaces.isEmpty, !rule.namespaces.contains(info.namespace ?? "") { return false }
    if rule.resources.isEmpty { return true }
    return rule.resources.contains { entry in
      guard entry.group == "*" || entry.group == info.group else { return false }
      if entry.resources.isEmpty { return true }
      guard entry.resourceNames.isEmpty || entry.resourceNames.contains(info.name) else { return false }
      return entry.resources.contains { matchesResource($0, info) }
    }
  }

  /// A resource without a subresource in the rule is the resource alone, not its subresources.
  private static func matchesResource(_ pattern: String, _ info: RequestInfo) -> Bool {
    if pattern == "*" || pattern == (info.subresource.isEmpty ? info.resource : "\(info.resource)/\(info.subresource)") { return true }
    if pattern.hasPrefix("*/") { return !info.subresource.isEmpty && pattern.dropFirst(2) == info.subresource }
    // As upstream: `workflows/*` is the resource itself, too.
    return pattern.hasSuffix("/*") && pattern.dropLast(2) == info.resource
  }
}
