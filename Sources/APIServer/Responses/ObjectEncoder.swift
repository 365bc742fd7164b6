internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Translation

/// Writes objects, lists and tables in the form that was asked for. Objects are encoded already: their bytes are copied, not made anew.
struct ObjectEncoder {
  let form: ResponseForm
  let kind: KindDescription
  let apiVersion: String
  /// Ages in tables are counted to this moment.
  let now: Timestamp

  func object(_ object: StoredObject) -> [UInt8] {
    switch form {
    case .plain: return plain(object)
    case .partial(let version): return partial(object, version)
    case .table(let version, let included):
      return table(version, included, [object], metadata: object.version == 0 ? [:] : ["resourceVersion": .string(String(object.version))])
    }
  }

  func list(_ result: ListResult) -> [UInt8] {
    var metadata: JSONObject = ["resourceVersion": .string(String(result.version))]
    if let token = result.continueToken { metadata["continue"] = .string(token) }
    if let count = result.remainingItemCount { metadata["remainingItemCount"] = .int(Int64(count)) }
    let items: [[UInt8]]
    let listKind: String
    let version: String
    switch form {
    case .table(let version, let included): return table(version, included, result.items, metadata: metadata)
    case .plain: (items, listKind, version) = (result.items.map(plain), "\(kind.kind)List", apiVersion)
    case .partial(let meta):
      (items, listKind, version) = (result.items.map { partial($0, meta) }, "PartialObjectMetadataList", meta.apiVersion)
    }
    var writer = JSONWriter(capacity: items.reduce(256) { $0 + $1.count + 1 })
    writer.beginObject()
    writer.name("kind")
    writer.string(listKind)
    writer.name("apiVersion")
    writer.string(version)
    writer.name("metadata")
    writer.value(.object(metadata))
    writer.name("items")
    writer.beginArray()
    for item in items { writer.raw(item) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  /// An object that tells nothing but how far a watch is (kubernetes-wire W10, W14, T3).
  func bookmark(version: UInt64, isInitialEnd: Bool) -> [UInt8] {
    var metadata: JSONObject = ["resourceVersion": .string(String(version))]
    if isInitialEnd { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
    switch form {
    case .plain: return encoded(kind.kind, apiVersion, metadata)
    case .partial(let meta): return encoded("PartialObjectMetadata", meta.apiVersion, metadata)
    case .table(let meta, let included):
      let object =
        included == .object ? encoded(kind.kind, apiVersion, metadata) : encoded("PartialObjectMetadata", meta.apiVersion, metadata)
      let cells = [JSONValue](repeating: "", count: kind.columns.count)
      return table(
        meta, rows: [(cells, included == .none ? nil : object)], metadata: ["resourceVersion": .string(String(version))])
    }
  }

  private func encoded(_ kind: String, _ apiVersion: String, _ metadata: JSONObject) -> [UInt8] {
    JSONValue.object(["kind": .string(kind), "apiVersion": .string(apiVersion), "metadata": .object(metadata)]).encoded
  }

  private func plain(_ object: StoredObject) -> [UInt8] {
    guard object.version == 0 else { return object.json }
    // A dry run's object was never stored and has no version (kubernetes-wire C2).
    var members: JSONObject = [
      "apiVersion": .string(apiVersion), "kind": .string(kind.kind), "metadata": .object(object.draft.metadata),
    ]
    for (name, value) in object.draft.content { members[name] = value }
    return JSONValue.object(members).encoded
  }

  private func partial(_ object: StoredObject, _ version: ResponseForm.MetaVersion) -> [UInt8] {
    if object.version == 0 { return encoded("PartialObjectMetadata", version.apiVersion, object.draft.metadata) }
    guard version != .v1 else { return object.partialMetadata }
    var metadata = object.draft.metadata
    metadata["resourceVersion"] = .string(String(object.version))
    return encoded("PartialObjectMetadata", version.apiVersion, metadata)
  }

  private func table(
    _ version: ResponseForm.MetaVersion, _ included: ResponseForm.IncludedObject, _ objects: [StoredObject], metadata: JSONObject
  ) -> [UInt8] {
    table(
      version,
      rows: objects.map { object in
        let carried: [UInt8]? =
          switch included {
          case .none: nil
          case .metadata: partial(object, version)
          case .object: plain(object)
          }
        return (object.draft.cells.map(cell), carried)
      }, metadata: metadata)
  }

  private func table(_ version: ResponseForm.MetaVersion, rows: [(cells: [JSONValue], object: [UInt8]?)], metadata: JSONObject) -> [UInt8] {
    var writer = JSONWriter(capacity: 2048 + rows.count * 1024)
    writer.beginObject()
    writer.name("kind")
    writer.string("Table")
    writer.name("apiVersion")
    writer.string(version.apiVersion)
    writer.name("metadata")
    writer.value(.object(metadata))
    writer.name("columnDefinitions")
    writer.beginArray()
    for column in kind.columns {
      writer.value([
        "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
        "description": .string(column.description), "priority": .int(Int64(column.priority)),
      ])
    }
    writer.endArray()
    writer.name("rows")
    writer.beginArray()
    for row in rows {
      writer.beginObject()
      writer.name("cells")
      // A row with another number of cells than there are columns makes kubectl fail, so a short one is filled (kubernetes-wire T2).
      let missing = max(0, kind.columns.count - row.cells.count)
      writer.value(.array(Array(row.cells.prefix(kind.columns.count)) + [JSONValue](repeating: .null, count: missing)))
      writer.name("object")
      if let object = row.object { writer.raw(object) } else { writer.null() }
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private func cell(_ cell: TableCell) -> JSONValue {
    switch cell {
    case .value(let value): value
    case .since(let moment): .string(moment.map { HumanDuration.short(now - $0) } ?? "")
    case .between(let start, let end): .string(start.map { HumanDuration.short((end ?? now) - $0) } ?? "")
    }
  }
}
