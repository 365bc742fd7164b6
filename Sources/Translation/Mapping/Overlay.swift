package import JSON

/// What changed about a run's metadata since its submission: kept in the place that the adapter names, so that it survives us.
package struct Overlay: Sendable, Hashable {
  package var json: JSONValue

  package init(_ json: JSONValue?) { self.json = json ?? .emptyObject }

  package var deletionTimestamp: Timestamp? {
    get { json["deletionTimestamp"]?.string.flatMap(Timestamp.init) }
    set { json["deletionTimestamp"] = newValue.map { .string($0.rfc3339Seconds) } }
  }

  /// The run was deleted here and its binding retains runs in the engine: it is not shown any more.
  package var hidden: Bool {
    get { json["hidden"]?.bool ?? false }
    set { json["hidden"] = newValue ? true : nil }
  }

  package var generation: Int64 { json["generation"]?.int ?? 1 }
}
