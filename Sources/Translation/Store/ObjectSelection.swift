package import KubeWire

/// Which objects of a kind a list or watch is about.
package struct ObjectSelection: Sendable {
  /// nil for all namespaces.
  package var namespace: String?
  package var labels: LabelSelector
  package var fields: FieldSelector

  package init(namespace: String?, labels: LabelSelector, fields: FieldSelector) {
    self.namespace = namespace
    self.labels = labels
    self.fields = fields
  }

  package init(namespace: String?, options: ListOptions) {
    self.init(namespace: namespace, labels: options.labelSelector, fields: options.fieldSelector)
  }

  var hasSelectors: Bool { !labels.isEmpty || !fields.isEmpty }

  /// The key of the one object that it can select; nil where that may be more. Cluster-scoped kinds, whose keys are names, are few.
  var exactKey: String? {
    guard let namespace, !namespace.isEmpty, let name = fields.exactName else { return nil }
    return StoredObject.key(namespace: namespace, name: name)
  }

  func covers(namespace other: String) -> Bool { namespace.map { $0 == other } ?? true }

  func selects(_ draft: ObjectDraft) -> Bool { labels.matches(draft.labels) && fields.matches(draft.fields) }

  func matches(_ draft: ObjectDraft) -> Bool { covers(namespace: draft.namespace) && selects(draft) }
}
