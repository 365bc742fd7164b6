package import OrderedCollections

/// What clients keep with a job or a schedule. The engine stores it and hands it back; of labels it knows that lists can be narrowed by them.
package struct Attachments: Hashable, Sendable {
  package var labels: OrderedDictionary<String, String> = [:]
  package var annotations: OrderedDictionary<String, String> = [:]
  package var metadata: RawJSON?
  package var envelope: RawJSON?
  package var overlay: RawJSON?

  /// Merges labels and annotations (nil removes a key) and replaces the overlay as a whole.
  ///
  /// - Throws: 422 where they grow too large.
  mutating func apply(_ patch: ObjectPatch) throws(EngineError) {
    labels = try patch.merged(labels, patch.labels, field: "labels")
    annotations = try patch.merged(annotations, patch.annotations, field: "annotations")
    if let replacement = patch.overlay { overlay = replacement.document }
  }
}
