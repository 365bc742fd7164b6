package import JSON

/// Who set which fields of one object: the content of `metadata.managedFields` (kubernetes-wire S6).
package struct ManagedFields: Sendable, Hashable {
  package enum Operation: String, Sendable, Hashable {
    case apply = "Apply"
    case update = "Update"
  }

  /// What tells entries apart. Those who apply keep their entry when the version of the API changes.
  package struct Identity: Sendable, Hashable {
    package var manager: String
    package var operation: Operation
    /// Empty for ``Operation/apply``.
    package var apiVersion: String
    /// `status` and the like; empty for the object itself.
    package var subresource: String
  }

  package struct Entry: Sendable, Hashable {
    package var manager: String
    package var operation: Operation
    package var apiVersion: String
    /// When the entry last changed, to the second; nil where a client that wrote the entries itself left it out.
    package var time: Timestamp?
    package var subresource: String
    package var fields: FieldSet

    package init(
      manager: String, operation: Operation, apiVersion: String, time: Timestamp?, subresource: String = "", fields: FieldSet
    ) {
      self.manager = manager
      self.operation = operation
      self.apiVersion = apiVersion
      self.time = time?.toTheSecond
      self.subresource = subresource
      self.fields = fields
    }

    package var identity: Identity {
      Identity(manager: manager, operation: operation, apiVersion: operation == .apply ? "" : apiVersion, subresource: subresource)
    }
  }

  /// In Kubernetes' order: Apply before Update, then by time, manager, apiVersion and subresource.
  package private(set) var entries: [Entry] = []

  package init() {}

  /// Of entries with the same identity the last one counts.
  package init(_ entries: [Entry]) { for entry in entries { self[entry.identity] = entry } }

  package var isEmpty: Bool { entries.isEmpty }

  subscript(_ identity: Identity) -> Entry? {
    get { entries.first { $0.identity == identity } }
    set {
      entries.removeAll { $0.identity == identity }
      guard let newValue else { return }
      entries.insert(newValue, at: entries.firstIndex { newValue.precedes($0) } ?? entries.count)
    }
  }

  /// What an update leaves the object with before the update itself is entered. A client may write `metadata.managedFields`: none, or one that is empty
  /// (`[{}]`), forgets all; what cannot be read, or is absent, changes nothing.
  /// - Parameter requested: `metadata.managedFields` of the new object. For a subresource pass nil: there it is not the client's to set.
  package static func afterRequest(_ requested: JSONValue?, live: ManagedFields) -> ManagedFields {
    guard let elements = requested?.array else { return live }
    if elements.isEmpty || elements == [.emptyObject] { return ManagedFields() }
    guard let managed = try? ManagedFields(json: requested), !managed.isEmpty else { return live }
    return managed
  }
}

extension ManagedFields.Entry {
  fileprivate func precedes(_ other: Self) -> Bool {
    if operation != other.operation { return operation == .apply }
    let (a, b) = (time?.microseconds ?? 0, other.time?.microseconds ?? 0)
    if a != b { return a < b }
    if manager != other.manager { return manager.precedesInBytes(other.manager) }
    if apiVersion != other.apiVersion { return apiVersion.precedesInBytes(other.apiVersion) }
    return subresource.precedesInBytes(other.subresource)
  }
}

extension Timestamp {
  /// As metav1.Time carries it.
  var toTheSecond: Timestamp {
    let remainder = microseconds % 1_000_000
    return Timestamp(microseconds: microseconds - (remainder < 0 ? remainder + 1_000_000 : remainder))
  }
}
