internal import JSON

extension FieldManager {
  /// Takes away what a manager applied before and applies no longer, unless somebody else has it too.
  /// - Parameters:
  ///   - merged: the object with what is applied now.
  ///   - last: what the manager applied before.
  ///   - now: what the manager applies now, which is in the account too.
  ///   - managed: the account.
  func prune(_ merged: JSONValue, last: FieldSet, now: FieldSet, managed: ManagedFields) -> JSONValue {
    // Mostly nothing is given up.
    guard !last.subtracting(now).isEmpty else { return merged }
    let last = last.withNamedFields(schema)
    let present = FieldSet(of: merged, schema).withNamedFields(schema)
    func fields(of object: JSONValue) -> FieldSet { FieldSet(of: object, schema).withNamedFields(schema) }
    let owned = managed.entries.reduce(FieldSet()) { $0.union($1.fields) }.withNamedFields(schema)
    // First all that was applied before goes, with whatever is in it; then what has an owner comes back; at last what never had one, but was in something
    // that went, comes back as well.
    let without = fields(of: schema.removing(last, from: merged))
    let withOwned = fields(of: schema.removing(present.subtracting(without.union(owned)), from: merged))
    return schema.removing(present.subtracting(withOwned).intersection(last), from: merged)
  }
}
