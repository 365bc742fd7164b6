package import JSON
internal import OrderedCollections

/// What changed about a run since its submission, kept in the place that the adapter names, so that it survives us.
///
/// A document that changes the ``Envelope``: `labels` and `annotations` are merge patches (null removes), `ownerReferences` and `finalizers` whole lists;
/// `deletionTimestamp`, `generation`, `spec` (`suspend`, `cancel`), `status` (what the engine does not own), `managedFields` (compact) and `hidden`.
package struct Overlay: Sendable, Hashable {
  package var json: JSONValue

  package init(_ json: JSONValue?) { self.json = json ?? .emptyObject }

  /// Whatever the order of the members: engines may change it.
  package static func == (a: Overlay, b: Overlay) -> Bool { a.json.canonical == b.json.canonical }
  package func hash(into hasher: inout Hasher) { hasher.combine(json.canonical) }

  package var isEmpty: Bool { json == .emptyObject }

  package var deletionTimestamp: Timestamp? {
    get { json["deletionTimestamp"]?.string.flatMap(Timestamp.init) }
    set { json["deletionTimestamp"] = newValue.map { .string($0.rfc3339Seconds) } }
  }

  /// The run was deleted here and its binding retains runs in the engine: it is not shown any more.
  package var hidden: Bool {
    get { json["hidden"]?.bool ?? false }
    set { json["hidden"] = newValue ? true : nil }
  }

  /// Counts changes of the spec; the deletion counts once more (``shownGeneration``).
  package var generation: Int64 {
    get { json["generation"]?.int ?? 1 }
    set { json["generation"] = newValue == 1 ? nil : .int(newValue) }
  }

  var shownGeneration: Int64 { generation + (deletionTimestamp == nil ? 0 : 1) }

  /// nil where the envelope's hold.
  var ownerReferences: [JSONValue]? {
    get { json["ownerReferences"]?.array }
    set { json["ownerReferences"] = newValue.map { .array($0) } }
  }

  /// nil where the envelope's hold.
  var finalizers: [String]? {
    get { json["finalizers"]?.array?.compactMap(\.string) }
    set { json["finalizers"] = newValue.map { .array($0.map { .string($0) }) } }
  }

  /// A merge patch of what may change in a spec (``specMembers``): null where a member went.
  var spec: JSONObject {
    get { json["spec"]?.object ?? [:] }
    set { json["spec"] = newValue.isEmpty ? nil : .object(newValue) }
  }

  /// What of a spec can change after its submission.
  static let specMembers = ["suspend", "cancel"]

  /// Members of the status that the engine does not own, with conditions of types that are not ours.
  var status: JSONObject {
    get { json["status"]?.object ?? [:] }
    set { json["status"] = newValue.isEmpty ? nil : .object(newValue) }
  }

  /// ``KubeWire/ManagedFields`` in the compact form; nil where those of the creation hold, or where there was no room.
  var managedFields: JSONValue? {
    get { json["managedFields"] }
    set { json["managedFields"] = newValue }
  }

  // MARK: Room

  struct TooLarge: Error, Sendable {
    var bytes: Int
    var limit: Int
  }

  /// For deletionTimestamp, generation and the garbage collector's finalizers: a deletion always has room (design §6).
  static func reserve(of limit: Int) -> Int { min(256, limit / 4) }

  /// The same within a limit: managedFields go first.
  ///
  /// - Parameter isDeletion: it may use what is reserved.
  /// - Throws: ``TooLarge`` when it does not fit without them either.
  func fitted(_ limit: Int, isDeletion: Bool = false) throws(TooLarge) -> Overlay {
    let room = isDeletion ? limit : limit - Self.reserve(of: limit)
    if json.encoded.count <= room { return self }
    var smaller = self
    smaller.managedFields = nil
    let bytes = smaller.json.encoded.count
    guard bytes <= room else { throw TooLarge(bytes: bytes, limit: room) }
    return smaller
  }
}
