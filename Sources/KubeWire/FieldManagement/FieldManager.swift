package import JSON
internal import OrderedCollections

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

  /// - Parameters:
  ///   - applied: what the manager wants, with the types of the schema (see ``SchemaDecoder``) and without a ``defect(of:)``. The status in it does not
  ///     count, or nothing else, by the subresource.
  ///   - live: the object as it is; nil to create it.
  ///   - managed: the account of the live object.
  ///   - manager: for `kubectl`, what client-side apply left in an annotation is its own: it is no conflict, and the annotation is kept up.
  ///   - now: for the entry, if something changed.
  /// - Returns: the object, without `metadata.managedFields`, and the account. Both are equal to what was given when nothing changed.
  /// - Throws: ``ApplyConflict`` when it would change what others set, unless `force`.
  package func apply(
    _ applied: JSONValue, to live: JSONValue?, managed: ManagedFields, manager: String, subresource: String = "", force: Bool,
    now: Timestamp
  ) throws(ApplyConflict) -> (object: JSONValue, managed: ManagedFields) {
    let applied = Self.withoutAccount(applied)
    let current = Self.withoutAccount(live ?? .emptyObject)
    var managed = readable(managed)
    if managed.isEmpty, live != nil {
      managed = entering(.emptyObject, current, managed, identity("before-first-apply", .update, subresource), now)
    }
    let identity = identity(manager, .apply, subresource)
    var result: (object: JSONValue, managed: ManagedFields)
    do {
      result = try merge(applied, current, managed, identity, force: force, now)
    } catch {
      // What kubectl applied on the client's side is no stranger's when it goes over to the server's.
      guard manager == Self.kubectl, let own = lastApplied(in: current) else { throw error }
      let left = error.conflicts.filter { !own.contains($0.path) }
      guard left.isEmpty else { throw ApplyConflict(left) }
      result = try merge(applied, current, managed, identity, force: true, now)
    }
    if manager == Self.kubectl, subresource.isEmpty { result.object = Self.withLastApplied(applied, in: result.object) }
    return result
  }

  private func merge(
    _ applied: JSONValue, _ live: JSONValue, _ managed: ManagedFields, _ identity: ManagedFields.Identity, force: Bool, _ now: Timestamp
  ) throws(ApplyConflict) -> (object: JSONValue, managed: ManagedFields) {
    let ignored = ignored(through: identity.subresource)
    // Nothing of what this subresource cannot set gets into the object, whatever the caller makes of it.
    let effective = schema.removing(ignored, from: applied)
    var managed = managed
    let last = managed[identity]
    var entry = ManagedFields.Entry(identity, apiVersion, now, FieldSet(of: effective, schema))
    managed[identity] = entry
    let pruned = prune(schema.merge(live, effective), last: last?.fields ?? FieldSet(), now: entry.fields, managed: managed)
    let isUnchanged = pruned.isSame(as: live)
    let comparison = Comparison(from: live, to: pruned, schema).without(ignored)
    managed = try settle(comparison, managed, except: identity, force: force)

    entry.fields = entry.fields.subtracting(Self.unowned)
    // An entry's time is when its manager last changed the object, which whoever applies what is there already never did.
    if isUnchanged { entry.time = last?.time }
    managed[identity] = entry.fields.isEmpty ? nil : entry
    return (isUnchanged ? live : pruned, managed)
  }

  /// The account after anything else than an apply changed the object.
  /// - Parameter managed: see ``ManagedFields/afterRequest(_:live:)``. An object without an account gets none before its first apply.
  package func update(
    from old: JSONValue, to new: JSONValue, managed: ManagedFields, manager: String, subresource: String = "", now: Timestamp
  ) -> ManagedFields {
    guard !managed.isEmpty else { return managed }
    return entering(
      Self.withoutAccount(old), Self.withoutAccount(new), readable(managed), identity(manager, .update, subresource), now)
  }

  /// The account of an object that was made by anything else than an apply.
  package func created(
    _ object: JSONValue, manager: String, operation: ManagedFields.Operation = .update, subresource: String = "", now: Timestamp
  ) -> ManagedFields {
    entering(.emptyObject, Self.withoutAccount(object), ManagedFields(), identity(manager, operation, subresource), now)
  }

  /// Enters a change that has been made.
  private func entering(
    _ old: JSONValue, _ new: JSONValue, _ managed: ManagedFields, _ identity: ManagedFields.Identity, _ now: Timestamp
  ) -> ManagedFields {
    let comparison = Comparison(from: old, to: new, schema).without(ignored(through: identity.subresource))
    guard !comparison.isEmpty, var managed = try? settle(comparison, managed, except: nil, force: true) else { return managed }
    let fields = comparison.modified.union(comparison.added).subtracting(Self.unowned)
    guard !fields.isEmpty else { return managed }
    managed[identity] = ManagedFields.Entry(identity, apiVersion, now, fields.union(managed[identity]?.fields ?? FieldSet()))
    managed.foldOldUpdates()
    return managed
  }

  /// Takes from all others what changed and what went.
  private func settle(
    _ comparison: Comparison, _ managed: ManagedFields, except identity: ManagedFields.Identity?, force: Bool
  ) throws(ApplyConflict) -> ManagedFields {
    let changed = comparison.modified.union(comparison.added)
    let others = managed.entries.filter { $0.identity != identity }
    if !force {
      let conflicts = others.flatMap { entry in entry.fields.intersection(changed).paths.map { ApplyConflict.Conflict(entry, $0) } }
      if !conflicts.isEmpty { throw ApplyConflict(conflicts) }
    }
    var managed = managed
    for entry in others {
      var left = entry
      left.fields = entry.fields.subtracting(changed).subtracting(comparison.removed)
      if left != entry { managed[entry.identity] = left.fields.isEmpty ? nil : left }
    }
    return managed
  }

  private func identity(_ manager: String, _ operation: ManagedFields.Operation, _ subresource: String) -> ManagedFields.Identity {
    ManagedFields.Identity(
      manager: manager.isEmpty ? "unknown" : manager, operation: operation, apiVersion: operation == .apply ? "" : apiVersion,
      subresource: subresource)
  }

  /// Entries of versions that are not served tell nothing about the fields of this one.
  private func readable(_ managed: ManagedFields) -> ManagedFields {
    managed.entries.allSatisfy { $0.apiVersion == apiVersion }
      ? managed : ManagedFields(managed.entries.filter { $0.apiVersion == apiVersion })
  }

  /// The status is set through its own subresource, which sets nothing else.
  private func ignored(through subresource: String) -> FieldSet {
    guard subresource == "status" else { return FieldSet([[.field("status")]]) }
    let shape = schema.shape(of: .emptyObject)
    guard case .map(let named, _) = shape else { return FieldSet() }
    return FieldSet(named.filter { !["status", "apiVersion", "kind"].contains($0.name) }.map { [.field($0.name)] })
  }

  /// What identifies the object or is the server's alone has no managers.
  private static let unowned = FieldSet(
    [["apiVersion"], ["kind"], ["metadata"]].map { $0.map { .field($0) } }
      + [
        "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "managedFields", "selfLink",
      ].map { [.field("metadata"), .field($0)] })

  private static func withoutAccount(_ object: JSONValue) -> JSONValue {
    guard object["metadata"]?["managedFields"] != nil else { return object }
    var object = object
    object["metadata"]?["managedFields"] = nil
    return object
  }
}

extension ManagedFields.Entry {
  fileprivate init(_ identity: ManagedFields.Identity, _ apiVersion: String, _ now: Timestamp, _ fields: FieldSet) {
    self.init(
      manager: identity.manager, operation: identity.operation, apiVersion: apiVersion, time: now, subresource: identity.subresource,
      fields: fields)
  }
}
