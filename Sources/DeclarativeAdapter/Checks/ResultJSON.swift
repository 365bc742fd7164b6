internal import AdapterKit
internal import JSON
internal import OrderedCollections

// The neutral values as JSON, for people and for examples. What a facet did not see is left out; what is absent is null.

extension EngineHealth {
  var json: JSONValue {
    .object([
      "reachable": .bool(reachable), "authenticated": authenticated.map { .bool($0) } ?? .null,
      "version": version.map { .string($0) } ?? .null,
      "message": message.map { .string($0) } ?? .null,
    ])
  }
}

extension EngineTemplate {
  var json: JSONValue {
    var object: JSONObject = ["name": .string(name), "paused": .bool(paused)]
    object["description"] = description.map { .string($0) }
    object["parametersSchema"] = parametersSchema
    object["url"] = url.map { .string($0) }
    object["schedule"] = schedule.map { .string($0) }
    if !labels.isEmpty { object["labels"] = sortedTexts(labels) }
    return .object(object)
  }
}

extension Observation {
  var json: JSONValue {
    var object: JSONObject = [
      "key": .object(["kind": .string(key.kind.rawValue), "parent": .string(key.parent), "id": .string(key.id)]),
      "identity": .string(identity),
    ]
    switch attempt {
    case .number(let number): object["attempt"] = .int(number)
    case .since(let time): object["attempt"] = .string(time.description)
    case .unknown: break
    }
    switch order {
    case .sequence(let number)?: object["order"] = .int(number)
    case .time(let time)?: object["order"] = .string(time.description)
    case nil: break
    }
    if isRebuild { object["rebuild"] = true }
    switch core {
    case .present(let core): object.merge(core.json) { $1 }
    default: break
    }
    put(envelope, "envelope", &object) { $0 }
    put(overlay, "overlay", &object) { $0 }
    put(steps, "steps", &object) { .array($0.map(\.json)) }
    return .object(object)
  }

  private func put<Value>(_ facet: Facet<Value>, _ name: String, _ object: inout JSONObject, _ json: (Value) -> JSONValue) {
    switch facet {
    case .unseen: break
    case .absent: object[name] = .null
    case .present(let value): object[name] = json(value)
    }
  }
}

extension RunCore {
  fileprivate var json: JSONObject {
    var object: JSONObject = ["phase": .string(phase.rawValue), "state": .string(rawState)]
    let texts: KeyValuePairs<String, String?> = [
      "reason": reason, "message": message, "template": template, "trigger": trigger, "url": url, "scheduledBy": scheduledBy,
      "schedule": schedule,
      "createdAt": createdAt?.description, "startedAt": startedAt?.description, "finishedAt": finishedAt?.description,
      "lastScheduleTime": lastScheduleTime?.description, "nextRunTime": nextRunTime?.description,
    ]
    for (name, text) in texts { if let text { object[name] = .string(text) } }
    if let progress { object["progress"] = .string("\(progress.done)/\(progress.total)") }
    if suspended { object["suspended"] = true }
    object["parameters"] = parameters
    if !labels.isEmpty { object["labels"] = sortedTexts(labels) }
    return object
  }
}

extension RunStep {
  fileprivate var json: JSONValue {
    var object: JSONObject = ["name": .string(name), "phase": .string(phase.rawValue), "state": .string(rawState)]
    object["message"] = message.map { .string($0) }
    object["startedAt"] = startedAt.map { .string($0.description) }
    object["finishedAt"] = finishedAt.map { .string($0.description) }
    return .object(object)
  }
}

extension AdapterError {
  var json: JSONValue {
    var object: JSONObject = ["code": .string(code.description), "message": .string(message)]
    object["field"] = field.map { .string($0) }
    object["status"] = status.map { .int(Int64($0)) }
    object["retryAfterSeconds"] = retryAfter.map { .int($0.wholeSeconds) }
    if inDoubt { object["inDoubt"] = true }
    return .object(object)
  }
}

private func sortedTexts(_ map: [String: String]) -> JSONValue {
  .object(JSONObject(uniqueKeysWithValues: map.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
}
