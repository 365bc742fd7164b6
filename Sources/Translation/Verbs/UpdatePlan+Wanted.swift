internal import JSON
internal import KubeWire
internal import OrderedCollections

/// What a client wants an object to be, and who owns which of its fields then.
extension Gateway {
  /// What the client wants, and who then owns which fields.
  func changed(_ request: UpdateRequest, _ current: JSONValue, _ live: ManagedFields, _ context: RequestContext) throws(StatusError) -> (
    JSONValue, ManagedFields
  ) {
    let fields = projector.ownership.fields
    switch request.change {
    case .replace(let change):
      var wanted = try change(current)
      // An apply cannot have two of one owner.
      if let warning = OwnerReferences.removeDuplicates(of: &wanted) { context.warn(warning) }
      try checkIdentity(wanted, current)
      // Of the rest of the object a status write takes nothing (kubernetes-wire C16).
      if request.subresource == "status" {
        var whole = current
        whole["status"] = wanted["status"]
        wanted = whole
      }
      let asked = request.subresource.isEmpty ? wanted["metadata"]?["managedFields"] : nil
      let account = ManagedFields.afterRequest(asked, live: live)
      let settled = settled(wanted, current, isStatus: request.subresource == "status")
      return (
        wanted,
        fields.update(
          from: unmanaged(current), to: owned(settled, current), managed: account, manager: request.manager.name,
          subresource: request.subresource, now: clock.now)
      )
    case .apply(let applied, let force):
      try checkIdentity(applied, current)
      if let defect = fields.defect(of: applied) { throw .badRequest(defect) }
      var mine = applied
      // What a client may send but nobody owns.
      for owned in ["uid", "resourceVersion", "creationTimestamp", "generation", "selfLink"] { mine["metadata"]?[owned] = nil }
      if request.subresource == "status" {
        mine = ["apiVersion": applied["apiVersion"] ?? .null, "kind": applied["kind"] ?? .null]
        let others = StatusFields.others(of: applied["status"])
        if others != .emptyObject { mine["status"] = others }
      } else {
        mine["status"] = nil
      }
      do throws(ApplyConflict) {
        var (wanted, account) = try fields.apply(
          mine, to: unmanaged(current), managed: live, manager: request.manager.name, subresource: request.subresource, force: force,
          now: clock.now)
        if request.subresource == "status" { wanted["status"] = claims(of: applied["status"], on: wanted["status"]) }
        return (wanted, account)
      } catch {
        throw error.statusError
      }
    }
  }

  /// What the client says about which object, and which version of it, it means (kubernetes-wire C13, C14, C21).
  func checkIdentity(_ wanted: JSONValue, _ current: JSONValue) throws(StatusError) {
    func pair(_ member: String) -> (given: String, present: String) {
      (wanted["metadata"]?[member]?.string ?? "", current["metadata"]?[member]?.string ?? "")
    }
    let name = pair("name")
    guard name.given.isEmpty || name.given == name.present else {
      throw .otherName(name.given, inURL: name.present)
    }
    let namespace = pair("namespace")
    guard namespace.given.isEmpty || namespace.given == namespace.present else {
      throw .otherNamespace
    }
    let uid = pair("uid")
    guard uid.given.isEmpty || uid.given == uid.present else {
      throw .conflict(
        resource: "workflows", group: group, name: name.present,
        reason: "Precondition failed: UID in precondition: \(uid.given), UID in object meta: \(uid.present)")
    }
    let version = pair("resourceVersion")
    guard version.given.isEmpty || version.given == version.present else {
      throw .conflict(resource: "workflows", group: group, name: name.present)
    }
  }

  /// With everything that the server owns as it is (kubernetes-wire C15), and the labels that the gateway sets where the client left them out.
  func settled(_ wanted: JSONValue, _ current: JSONValue, isStatus: Bool) -> JSONValue {
    var object = current
    if isStatus {
      object["status"] = wanted["status"] ?? .emptyObject
      return object
    }
    for member in KeptMetadata.members { object["metadata"]?[member] = wanted["metadata"]?[member] }
    object["metadata"] = KeptMetadata.withoutEmpty(object["metadata"])
    for (key, value) in current["metadata"]?["labels"]?.object ?? [:]
    where key.hasPrefix(group + "/") && object["metadata"]?["labels"]?[key] == nil {
      var labels = object["metadata"]?["labels"] ?? .emptyObject
      labels[key] = value
      object["metadata"]?["labels"] = labels
    }
    object["spec"] = wanted["spec"] ?? .emptyObject
    return object
  }

  /// What an applied status says of the engine's part: nobody owns that, but a phase may be told to the engine and the rest is answered with a Warning.
  private func claims(of applied: JSONValue?, on wanted: JSONValue?) -> JSONValue {
    var status = wanted ?? .emptyObject
    for (name, value) in applied?.object ?? [:] where StatusFields.engine.contains(name) && name != "conditions" { status[name] = value }
    let claimed = (applied?["conditions"]?.array ?? []).filter(StatusFields.isOurs)
    guard !claimed.isEmpty else { return status }
    let others = (status["conditions"]?.array ?? []).filter { present in !claimed.contains { $0["type"] == present["type"] } }
    status["conditions"] = .array(claimed + others)
    return status
  }

  /// As the account of the fields wants it: what a client cannot set it does not own either, whatever it sent (ResetFields of a generic apiserver).
  func owned(_ wanted: JSONValue, _ current: JSONValue) -> JSONValue {
    var object = unmanaged(wanted)
    object["status"] = StatusFields.merged(engine: current["status"], others: wanted["status"])
    return object
  }

  private func unmanaged(_ object: JSONValue) -> JSONValue {
    var object = object
    object["metadata"]?["managedFields"] = nil
    return object
  }
}
