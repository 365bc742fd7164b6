import JSON
import KubeWire
import Translation

/// One entry of `rules` or `resourceRules`: which operations on which resources (admissionregistration.k8s.io RuleWithOperations).
struct OperationRule: Sendable {
  private let operations: [String]
  private let groups: [String]
  private let versions: [String]
  private let resources: [(name: String, subresource: String)]
  private let scope: String
  /// Only in policies; empty for any name.
  private let names: [String]

  init(_ json: JSONValue) {
    operations = json.strings("operations")
    groups = json.strings("apiGroups")
    versions = json.strings("apiVersions")
    resources = json.strings("resources").map { text in
      let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
    scope = json["scope"]?.string ?? "*"
    names = json.strings("resourceNames")
  }

  static func list(_ json: JSONValue?) -> [OperationRule] { (json?.array ?? []).map { OperationRule($0) } }

  func matches(_ attributes: AdmissionAttributes, _ group: APIGroup) -> Bool {
    func has(_ list: [String], _ wanted: String) -> Bool { list.contains { $0 == "*" || $0 == wanted } }
    switch scope {
    case "Namespaced": if attributes.namespace.isEmpty { return false }
    case "Cluster": if !attributes.namespace.isEmpty { return false }
    case "*": break
    default: return false
    }
    return has(operations, attributes.operation.rawValue) && has(groups, group.name) && has(versions, group.version)
      && resources.contains {
        // `workflows/*` is the resource and all that is under it.
        ($0.name == "*" || $0.name == attributes.resource.rawValue) && ($0.subresource == "*" || $0.subresource == attributes.subresource)
      }
      && (names.isEmpty || names.contains(attributes.name))
  }
}
