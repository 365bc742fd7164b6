import APIServer
import JSON
import KubeWire
import OrderedCollections
import Translation

/// What a SubjectAccessReview asks (kubernetes-wire A4, A5), members in a fixed order, so that the same question has the same text.
enum AccessReviewSpec {
  static func json(_ attributes: AuthorizationAttributes) -> JSONValue {
    let (user, info) = (attributes.user, attributes.info)
    var spec: JSONObject = ["user": .string(user.name)]
    if !user.uid.isEmpty { spec["uid"] = .string(user.uid) }
    if !user.groups.isEmpty { spec["groups"] = texts(user.groups) }
    if !user.extra.isEmpty {
      var extra = JSONObject()
      for key in user.extra.keys.sorted() { extra[key] = texts(user.extra[key] ?? []) }
      spec["extra"] = .object(extra)
    }
    guard info.isResourceRequest else {
      spec["nonResourceAttributes"] = .object(["path": .string(info.path), "verb": .string(info.verb)])
      return .object(spec)
    }
    var resource = JSONObject()
    func add(_ name: String, _ value: String) { if !value.isEmpty { resource[name] = .string(value) } }
    add("namespace", info.namespace ?? "")
    add("verb", info.verb)
    add("group", info.group)
    add("version", info.version)
    add("resource", info.resource)
    add("subresource", info.subresource)
    add("name", info.name)
    if let requirements = info.labelSelector.map(labels), !requirements.isEmpty { resource["labelSelector"] = selector(requirements) }
    if let requirements = info.fieldSelector.map(fields), !requirements.isEmpty { resource["fieldSelector"] = selector(requirements) }
    spec["resourceAttributes"] = .object(resource)
    return .object(spec)
  }

  /// What cannot be said (`>` and `<`) is left out: the question is then the broader one.
  private static func labels(_ selector: LabelSelector) -> [JSONValue] {
    selector.requirements.compactMap { requirement in
      switch requirement.operator {
      case .in: Self.requirement(requirement.key, "In", requirement.values)
      case .notIn: Self.requirement(requirement.key, "NotIn", requirement.values)
      case .exists: Self.requirement(requirement.key, "Exists", [])
      case .doesNotExist: Self.requirement(requirement.key, "DoesNotExist", [])
      case .greaterThan, .lessThan: nil
      }
    }
  }

  private static func fields(_ selector: FieldSelector) -> [JSONValue] {
    selector.requirements.map { Self.requirement($0.field, $0.equal ? "In" : "NotIn", [$0.value]) }
  }

  private static func requirement(_ key: String, _ name: String, _ values: [String]) -> JSONValue {
    var members: JSONObject = ["key": .string(key), "operator": .string(name)]
    if !values.isEmpty { members["values"] = texts(values) }
    return .object(members)
  }

  private static func selector(_ requirements: [JSONValue]) -> JSONValue { .object(["requirements": .array(requirements)]) }

  private static func texts(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
}
