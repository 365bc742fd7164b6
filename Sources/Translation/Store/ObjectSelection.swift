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

  func covers(namespace other: String) -> Bool { namespace.map { $0 == other } ?? true }

  func selects(_ draft: ObjectDraft) -> Bool { labels.matches(draft.labels) && fields.matches(draft.fields) }

  func matches(_ draft: ObjectDraft) -> Bool { covers(namespace: draft.namespace) && selects(draft) }
}
