package import JSON

/// A form for stores that have little room: a list of `[manager, operation, apiVersion, seconds, subresource, fields]`, where operation is A or U, an
/// apiVersion equal to that of the entry before is empty, and fields is the text of ``FieldSet/compact``. Nothing is lost.
extension ManagedFields {
  /// What ``compact`` gave; entries that cannot be read are left out.
  package init(compact: JSONValue?) {
    self.init()
    var version = ""
    for element in compact?.array ?? [] {
      guard let parts = element.array, parts.count == 6, let manager = parts[0].string, let apiVersion = parts[2].string,
        let subresource = parts[4].string, let fields = parts[5].string.flatMap({ FieldSet(compact: $0) })
      else { continue }
      if !apiVersion.isEmpty { version = apiVersion }
      let entry = Entry(
        manager: manager, operation: parts[1] == "A" ? .apply : .update, apiVersion: version,
        time: parts[3].int.map { Timestamp(seconds: $0) }, subresource: subresource, fields: fields)
      self[entry.identity] = entry
    }
  }

  /// nil when there are none.
  package var compact: JSONValue? {
    guard !isEmpty else { return nil }
    var version = ""
    return .array(
      entries.map { entry in
        defer { version = entry.apiVersion }
        return [
          .string(entry.manager), entry.operation == .apply ? "A" : "U", .string(entry.apiVersion == version ? "" : entry.apiVersion),
          entry.time.map { .int($0.microseconds / 1_000_000) } ?? .null, .string(entry.subresource), .string(entry.fields.compact),
        ]
      })
  }
}
