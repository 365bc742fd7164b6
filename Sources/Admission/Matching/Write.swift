import JSON
import KubeWire
import OrderedCollections
import Translation

/// One write on its way through the plugins, and what all of them need to look at it.
struct Write: Sendable {
  var attributes: AdmissionAttributes
  let group: APIGroup
  let namespaces: ClusterNamespaces

  init(attributes: AdmissionAttributes, group: APIGroup, namespaces: ClusterNamespaces) {
    self.attributes = attributes
    self.group = group
    self.namespaces = namespaces
    self.attributes.object = Self.whole(attributes.object, attributes, group)
    self.attributes.oldObject = Self.whole(attributes.oldObject, attributes, group)
  }

  /// Plugins always see what an object is and where, also when the client left that to the path.
  private static func whole(_ object: JSONValue?, _ attributes: AdmissionAttributes, _ group: APIGroup) -> JSONValue? {
    guard var object, !object.isNull else { return JSONValue?.none }
    if object["kind"] == nil { object["kind"] = .string(attributes.resource.kind) }
    if object["apiVersion"] == nil { object["apiVersion"] = .string(group.apiVersion) }
    if !attributes.namespace.isEmpty, object["metadata"]?["namespace"] == nil {
      var metadata = object["metadata"] ?? .emptyObject
      metadata["namespace"] = .string(attributes.namespace)
      object["metadata"] = metadata
    }
    return object
  }

  var groupVersionKind: JSONValue {
    ["group": .string(group.name), "version": .string(group.version), "kind": .string(attributes.resource.kind)]
  }

  var groupVersionResource: JSONValue {
    ["group": .string(group.name), "version": .string(group.version), "resource": .string(attributes.resource.rawValue)]
  }

  /// The members that an AdmissionRequest and the variable `request` have in common; Go leaves out what is empty.
  var request: JSONObject {
    let user = attributes.context.user
    var info: JSONObject = [:]
    if !user.name.isEmpty { info["username"] = .string(user.name) }
    if !user.uid.isEmpty { info["uid"] = .string(user.uid) }
    if !user.groups.isEmpty { info["groups"] = .array(user.groups.map { .string($0) }) }
    if !user.extra.isEmpty {
      info["extra"] = .object(
        JSONObject(uniqueKeysWithValues: user.extra.sorted { $0.key < $1.key }.map { ($0.key, .array($0.value.map { .string($0) })) }))
    }
    var members: JSONObject = ["kind": groupVersionKind, "resource": groupVersionResource]
    if !attributes.subresource.isEmpty { members["subResource"] = .string(attributes.subresource) }
    members["requestKind"] = groupVersionKind
    members["requestResource"] = groupVersionResource
    if !attributes.subresource.isEmpty { members["requestSubResource"] = .string(attributes.subresource) }
    if !attributes.name.isEmpty { members["name"] = .string(attributes.name) }
    if !attributes.namespace.isEmpty { members["namespace"] = .string(attributes.namespace) }
    members["operation"] = .string(attributes.operation.rawValue)
    members["userInfo"] = .object(info)
    members["dryRun"] = .bool(attributes.dryRun)
    members["options"] = attributes.options
    return members
  }

  /// The name that refusals speak of: before a name is generated, what it will begin with.
  var shownName: String {
    let metadata = attributes.object?["metadata"]
    let names = [attributes.name, metadata?["name"]?.string ?? "", metadata?["generateName"]?.string ?? ""]
    return names.first { !$0.isEmpty } ?? "Unknown"
  }

  /// 403 as admission plugins refuse.
  func forbidden(_ reason: String) -> StatusError {
    .forbidden(resource: attributes.resource.rawValue, group: group.name, name: shownName, reason: reason)
  }

  /// An audit annotation of a plugin. Keys that are no qualified names with a prefix are left out, as in kube-apiserver.
  func note(_ key: String, _ value: String) {
    guard key.split(separator: "/", omittingEmptySubsequences: false).count == 2, Names.qualifiedNameErrors(key).isEmpty else { return }
    attributes.context.note(key, value)
  }

  /// A warning of a plugin; the answer cuts what is too long. One with control characters is left out, as in kube-apiserver.
  func warn(_ text: String) {
    guard !text.isEmpty, text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else { return }
    attributes.context.warn(text)
  }
}
