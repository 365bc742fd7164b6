package import JSON
internal import OrderedCollections

/// The discovery documents of a group (kubernetes-wire §1).
package struct Discovery: Sendable {
  private let group: APIGroup

  package init(_ group: APIGroup) { self.group = group }

  /// `/apis`
  package var groupList: JSONValue { ["kind": "APIGroupList", "apiVersion": "v1", "groups": [.object(entry)]] }

  /// `/apis/GROUP`
  package var apiGroup: JSONValue {
    .object(JSONObject(uniqueKeysWithValues: [("kind", "APIGroup"), ("apiVersion", "v1")] + entry.map { ($0.key, $0.value) }))
  }

  /// `/api`: this server has no core group.
  package static let coreVersions: JSONValue = [
    "kind": "APIVersions", "versions": [], "serverAddressByClientCIDRs": [],
  ]

  /// `/apis/GROUP/VERSION`
  package var resourceList: JSONValue {
    var resources: [JSONValue] = []
    for kind in group.kinds {
      var resource: JSONObject = [
        "name": .string(kind.plural), "singularName": .string(kind.singular), "namespaced": .bool(kind.isNamespaced),
        "kind": .string(kind.kind),
        "verbs": strings(kind.verbs), "shortNames": strings(kind.shortNames),
      ]
      if !kind.categories.isEmpty { resource["categories"] = strings(kind.categories) }
      resources.append(.object(resource))
      for subresource in kind.subresources {
        resources.append([
          "name": .string("\(kind.plural)/\(subresource.name)"), "singularName": "", "namespaced": .bool(kind.isNamespaced),
          "kind": .string(kind.kind), "verbs": strings(subresource.verbs),
        ])
      }
    }
    return ["kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(group.apiVersion), "resources": .array(resources)]
  }

  /// `/apis` for clients that ask for everything in one document.
  package var aggregated: JSONValue {
    let resources = group.kinds.map { kind -> JSONValue in
      let responseKind = OpenAPIDialect.gvk(group.gvk(kind.kind))
      var resource: JSONObject = [
        "resource": .string(kind.plural), "responseKind": responseKind, "scope": kind.isNamespaced ? "Namespaced" : "Cluster",
        "singularResource": .string(kind.singular), "verbs": strings(kind.verbs), "shortNames": strings(kind.shortNames),
      ]
      if !kind.categories.isEmpty { resource["categories"] = strings(kind.categories) }
      if !kind.subresources.isEmpty {
        resource["subresources"] = .array(
          kind.subresources.map {
            ["subresource": .string($0.name), "responseKind": responseKind, "verbs": strings($0.verbs)]
          })
      }
      return .object(resource)
    }
    return aggregatedList([
      [
        "metadata": ["name": .string(group.name)],
        "versions": [["version": .string(group.version), "resources": .array(resources), "freshness": "Current"]],
      ]
    ])
  }

  /// `/api` for the same clients: nothing.
  package var aggregatedCore: JSONValue { aggregatedList([]) }

  private func aggregatedList(_ items: [JSONValue]) -> JSONValue {
    ["kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": .emptyObject, "items": .array(items)]
  }

  private var entry: JSONObject {
    let version: JSONValue = ["groupVersion": .string(group.apiVersion), "version": .string(group.version)]
    return ["name": .string(group.name), "versions": [version], "preferredVersion": version]
  }

  private func strings(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
}
