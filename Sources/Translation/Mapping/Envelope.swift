internal import Certificates
package import JSON
internal import KubeWire
internal import OrderedCollections

/// The small document that travels inside an engine's run and carries what Kubernetes needs and the engine has no place for.
///
/// It is written once, at submission. What changes later is a merge patch in the ``Overlay``.
package struct Envelope: Sendable, Hashable {
  /// The version of this document's own form.
  static let form: Int64 = 1

  package var apiVersion: String
  package var namespace: String
  package var name: String
  /// What the name was made from, where it was made.
  package var generateName: String?
  package var uid: String
  package var submittedAt: Timestamp
  package var labels: [String: String]
  package var annotations: [String: String]
  package var ownerReferences: JSONValue?
  package var finalizers: [String]
  /// Who owns the fields of the submission, for managedFields; nil where nobody said.
  package var manager: String?
  /// `Update` or `Apply`.
  package var managerOperation: String?
  /// The Kubernetes user that asked for it.
  package var requestedBy: String
  /// As submitted, defaults set.
  package var spec: JSONValue
  /// Lower-case hex; nil where no signing key is configured.
  package var signature: String?

  package init(
    apiVersion: String, namespace: String, name: String, uid: String, submittedAt: Timestamp, labels: [String: String],
    annotations: [String: String], ownerReferences: JSONValue?, finalizers: [String] = [], manager: String? = nil,
    managerOperation: String? = nil, requestedBy: String, spec: JSONValue
  ) {
    self.apiVersion = apiVersion
    self.namespace = namespace
    self.name = name
    self.uid = uid
    self.submittedAt = submittedAt
    self.labels = labels
    self.annotations = annotations
    self.ownerReferences = ownerReferences
    self.finalizers = finalizers
    self.manager = manager
    self.managerOperation = managerOperation
    self.requestedBy = requestedBy
    self.spec = spec
  }

  /// nil for anything that is not one of our documents: such a run was made elsewhere.
  package init?(_ json: JSONValue) {
    guard json["v"]?.int == Self.form, let apiVersion = json["apiVersion"]?.string, let namespace = json["namespace"]?.string,
      let name = json["name"]?.string, let uid = json["uid"]?.string, let submitted = json["submittedAt"]?.string.flatMap(Timestamp.init),
      let spec = json["spec"], spec.object != nil
    else { return nil }
    self.init(
      apiVersion: apiVersion, namespace: namespace, name: name, uid: uid, submittedAt: submitted, labels: Self.strings(json["labels"]),
      annotations: Self.strings(json["annotations"]), ownerReferences: json["ownerReferences"],
      finalizers: json["finalizers"]?.array?.compactMap(\.string) ?? [], manager: json["manager"]?.string,
      managerOperation: json["managerOperation"]?.string, requestedBy: json["requestedBy"]?.string ?? "", spec: spec)
    generateName = json["generateName"]?.string
    signature = json["signature"]?.string
  }

  package var json: JSONValue {
    var members: JSONObject = [
      "v": .int(Self.form), "apiVersion": .string(apiVersion), "namespace": .string(namespace), "name": .string(name), "uid": .string(uid),
      "submittedAt": .string(submittedAt.description), "requestedBy": .string(requestedBy), "spec": spec,
    ]
    if let generateName { members["generateName"] = .string(generateName) }
    if !labels.isEmpty { members["labels"] = Self.object(labels) }
    if !annotations.isEmpty { members["annotations"] = Self.object(annotations) }
    if let ownerReferences { members["ownerReferences"] = ownerReferences }
    if !finalizers.isEmpty { members["finalizers"] = .array(finalizers.map { .string($0) }) }
    if let manager { members["manager"] = .string(manager) }
    if let managerOperation { members["managerOperation"] = .string(managerOperation) }
    if let signature { members["signature"] = .string(signature) }
    return .object(members)
  }

  /// What of it a client sent: metadata and spec.
  var object: JSONValue {
    var metadata = JSONObject()
    if let generateName { metadata["generateName"] = .string(generateName) }
    if !labels.isEmpty { metadata["labels"] = Self.object(labels) }
    if !annotations.isEmpty { metadata["annotations"] = Self.object(annotations) }
    if let ownerReferences { metadata["ownerReferences"] = ownerReferences }
    if !finalizers.isEmpty { metadata["finalizers"] = .array(finalizers.map { .string($0) }) }
    return metadata.isEmpty ? ["spec": spec] : ["metadata": .object(metadata), "spec": spec]
  }

  /// What Kubernetes would have accepted: anything else was not made here, and is not to appear as an object.
  var isWellFormed: Bool {
    var metadata: JSONObject = ["name": .string(name), "labels": Self.object(labels), "annotations": Self.object(annotations)]
    if let ownerReferences {
      guard ownerReferences.array != nil else { return false }
      metadata["ownerReferences"] = ownerReferences
    }
    metadata["finalizers"] = .array(finalizers.map { .string($0) })
    if let generateName { metadata["generateName"] = .string(generateName) }
    return !name.isEmpty && Self.isUUID(uid) && MetadataRules.errors(in: metadata).isEmpty
  }

  /// 8-4-4-4-12 lower-case hex digits.
  private static func isUUID(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: 0x2D, omittingEmptySubsequences: false)
    return parts.map(\.count) == [8, 4, 4, 4, 12]
      && parts.allSatisfy { $0.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }
  }

  /// Signs over the backend and all of the envelope. Last, when nothing in it changes any more.
  package mutating func sign(backend: String, key: [UInt8]) { signature = digest(backend: backend, key: key) }

  /// True when one of the keys made the signature.
  package func isSigned(backend: String, byOneOf keys: [[UInt8]]) -> Bool {
    guard let signature else { return false }
    return keys.contains { Digest.constantTimeEquals(Array(signature.utf8), Array(digest(backend: backend, key: $0).utf8)) }
  }

  private func digest(backend: String, key: [UInt8]) -> String {
    var unsigned = self
    unsigned.signature = nil
    let parts: JSONValue = [.string(backend), .string(Digest.hex(Digest.sha256(unsigned.json.canonical.encoded)))]
    return Digest.hex(Digest.hmacSHA256(key: key, message: parts.encoded))
  }

  static func strings(_ json: JSONValue?) -> [String: String] { (json?.object ?? [:]).reduce(into: [:]) { $0[$1.key] = $1.value.string } }

  static func object(_ strings: [String: String]) -> JSONValue {
    .object(JSONObject(uniqueKeysWithValues: strings.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
  }
}
