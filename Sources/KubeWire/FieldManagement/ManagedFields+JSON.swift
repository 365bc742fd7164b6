package import JSON
internal import OrderedCollections

extension ManagedFields {
  /// What is wrong with `metadata.managedFields`, in Kubernetes' words.
  package struct Failure: Error, Sendable {
    package let message: String
  }

  /// More than any object has; the time that entries take grows with the square of their number.
  private static let maximumEntries = 1_000

  /// Reads `metadata.managedFields`; nil, `[]` and `[{}]` are none. - Throws: ``Failure``.
  package init(json: JSONValue?) throws(Failure) {
    self.init()
    guard let json, !json.isNull else { return }
    guard let elements = json.array else { throw Failure(message: "managedFields must be a list") }
    if elements == [.emptyObject] { return }
    guard elements.count <= Self.maximumEntries else {
      throw Failure(message: "must have at most \(Self.maximumEntries) managed fields entries")
    }
    for (index, element) in elements.enumerated() {
      let entry = try Self.entry(element, at: index)
      self[entry.identity] = entry
    }
  }

  private static func entry(_ json: JSONValue, at index: Int) throws(Failure) -> Entry {
    guard json.object != nil else { throw Failure(message: "managed fields entry \(index) must be an object") }
    guard let operation = Operation(rawValue: json["operation"]?.string ?? "") else {
      throw Failure(message: "operation must be `Apply` or `Update`")
    }
    guard let version = json["apiVersion"]?.string, !version.isEmpty else { throw Failure(message: "apiVersion must not be empty") }
    switch json["fieldsType"]?.string ?? "" {
    case "FieldsV1": break
    case "": throw Failure(message: "missing fieldsType in managed fields entry \(index)")
    case let other: throw Failure(message: "invalid fieldsType \(GoText.quoted(other)) in managed fields entry \(index)")
    }
    let fields: FieldSet
    do { fields = try FieldSet(json: json["fieldsV1"] ?? .emptyObject) } catch {
      throw Failure(message: "error decoding versioned set of managed fields entry \(index): \(error.message)")
    }
    return Entry(
      manager: json["manager"]?.string ?? "", operation: operation, apiVersion: version,
      time: json["time"]?.string.flatMap { Timestamp($0) }, subresource: json["subresource"]?.string ?? "", fields: fields)
  }

  /// For `metadata.managedFields`, in Kubernetes' order; nil when there are none.
  package var json: JSONValue? {
    guard !isEmpty else { return nil }
    return .array(
      entries.map { entry in
        var members: JSONObject = [:]
        if !entry.manager.isEmpty { members["manager"] = .string(entry.manager) }
        members["operation"] = .string(entry.operation.rawValue)
        members["apiVersion"] = .string(entry.apiVersion)
        if let time = entry.time { members["time"] = .string(time.rfc3339Seconds) }
        members["fieldsType"] = "FieldsV1"
        members["fieldsV1"] = entry.fields.json
        if !entry.subresource.isEmpty { members["subresource"] = .string(entry.subresource) }
        return .object(members)
      })
  }
}
