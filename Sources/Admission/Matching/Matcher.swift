import JSON
import KubeWire
import Translation

/// What a webhook, a policy or a binding applies to. We serve one version of our group, so Exact and Equivalent are the same here.
struct Matcher: Sendable {
  let namespaceSelector: ObjectSelector
  let objectSelector: ObjectSelector
  let rules: [OperationRule]
  let excluded: [OperationRule]
  /// Whether no rule at all means everything, as in policies and bindings.
  let emptyMatchesAll: Bool

  /// A webhook of a configuration.
  init(webhook: JSONValue) {
    namespaceSelector = ObjectSelector(webhook["namespaceSelector"])
    objectSelector = ObjectSelector(webhook["objectSelector"])
    rules = OperationRule.list(webhook["rules"])
    excluded = []
    emptyMatchesAll = false
  }

  /// A policy's `matchConstraints` or a binding's `matchResources`.
  init(resources: JSONValue) {
    namespaceSelector = ObjectSelector(resources["namespaceSelector"])
    objectSelector = ObjectSelector(resources["objectSelector"])
    rules = OperationRule.list(resources["resourceRules"])
    excluded = OperationRule.list(resources["excludeResourceRules"])
    emptyMatchesAll = true
  }

  /// Errors count only when everything else matches: a selector that cannot be read refuses nothing it has no say in.
  ///
  /// - Throws: 404 for a namespace that is missing, 503 where the cluster cannot be asked for it, 500 for an unreadable selector.
  func matches(_ write: Write) async throws(StatusError) -> Bool {
    let attributes = write.attributes
    if excluded.contains(where: { $0.matches(attributes, write.group) }) { return false }
    guard rules.isEmpty && emptyMatchesAll || rules.contains(where: { $0.matches(attributes, write.group) }) else { return false }
    if !objectSelector.isEverything {
      // Either version of the object will do.
      let new = try attributes.object.map { object throws(StatusError) in try objectSelector.matches(object.labels) } ?? false
      let old = try attributes.oldObject.map { object throws(StatusError) in try objectSelector.matches(object.labels) } ?? false
      guard new || old else { return false }
    }
    if !attributes.namespace.isEmpty, !namespaceSelector.isEverything {
      return try namespaceSelector.matches(try await write.namespaces.required(attributes.namespace).labels)
    }
    return true
  }
}
