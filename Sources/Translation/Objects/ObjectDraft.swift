package import JSON

/// What we would show of one object, before it has a resourceVersion. Two equal drafts are the same state: no event, no new version.
package struct ObjectDraft: Sendable, Hashable {
  package var resource: Resource
  /// Empty for cluster-scoped kinds.
  package var namespace: String
  package var name: String
  package var uid: String
  package var labels: [String: String]
  /// Selectable fields by path: metadata.name, metadata.namespace, status.phase, spec.templateRef.name, spec.backend.
  package var fields: [String: String]
  /// The members of `metadata`, without resourceVersion.
  package var metadata: JSONObject
  /// The members after `metadata`: spec, status.
  package var content: JSONObject
  /// In the order of the kind's columns (kubernetes-wire T2).
  package var cells: [TableCell]

  package init(
    resource: Resource, namespace: String, name: String, uid: String, labels: [String: String], fields: [String: String],
    metadata: JSONObject,
    content: JSONObject, cells: [TableCell]
  ) {
    self.resource = resource
    self.namespace = namespace
    self.name = name
    self.uid = uid
    self.labels = labels
    self.fields = fields
    self.metadata = metadata
    self.content = content
    self.cells = cells
  }
}

/// One cell of a table. What depends on the clock is rendered when it is read.
package enum TableCell: Sendable, Hashable {
  case value(JSONValue)
  /// The age of a moment, as `38m`; nil renders as an empty cell.
  case since(Timestamp?)
  /// The time from a start to an end, or to now while there is no end; nil start renders as an empty cell.
  case between(Timestamp?, Timestamp?)
}
