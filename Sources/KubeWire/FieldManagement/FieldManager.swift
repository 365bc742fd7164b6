package import JSON

/// Server-side apply of one kind, in one version of its API: merges what a manager applies into an object and keeps the account of who set what
/// (kubernetes-wire S1 to S6). Pure: the caller gives the time, keeps the account beside the object, and puts it into `metadata.managedFields`.
package struct FieldManager: Sendable {
  let schema: Schema
  let apiVersion: String

  /// - Parameters:
  ///   - schema: of the whole object.
  ///   - apiVersion: GROUP/VERSION.
  package init(schema: Schema, apiVersion: String) {
    self.schema = schema
    self.apiVersion = apiVersion
  }

  /// What keeps a configuration from being applied, in Kubernetes' words, such as two elements with the same key in a keyed list; nil if nothing does. Ask it
  /// before ``apply(_:to:managed:manager:subresource:force:now:)``.
  package func defect(of applied: JSONValue) -> String? { nil }

  /// - Parameters:
  ///   - applied: what the manager wants, with the types of the schema (see ``SchemaDecoder``).
  ///   - live: the object as it is; nil to create it.
  ///   - managed: the account of the live object.
  ///   - now: for the entry, if something changed.
  /// - Returns: the object, without `metadata.managedFields`, and the account. Both are equal to what was given when nothing changed.
  /// - Throws: ``ApplyConflict`` when it would change what others set, unless `force`.
  package func apply(
    _ applied: JSONValue, to live: JSONValue?, managed: ManagedFields, manager: String, subresource: String = "", force: Bool,
    now: Timestamp
  ) throws(ApplyConflict) -> (object: JSONValue, managed: ManagedFields) {
    ((live ?? .emptyObject).merging(patch: applied), managed)
  }

  /// The account after anything else than an apply changed the object.
  /// - Parameter managed: see ``ManagedFields/afterRequest(_:live:)``. An object without an account gets none before its first apply.
  package func update(
    from old: JSONValue, to new: JSONValue, managed: ManagedFields, manager: String, subresource: String = "", now: Timestamp
  ) -> ManagedFields { managed }

  /// The account of an object that was made by anything else than an apply.
  package func created(
    _ object: JSONValue, manager: String, operation: ManagedFields.Operation = .update, subresource: String = "", now: Timestamp
  ) -> ManagedFields { ManagedFields() }
}
