internal import JSON
internal import OrderedCollections

/// Which part of a Workflow's status is the engine's.
enum StatusFields {
  static let engine: Set<String> = [
    "phase", "reason", "message", "startTime", "completionTime", "attempt", "progress", "lastScheduleTime", "nextRunTime",
    "observedGeneration", "conditions", "steps", "backend",
  ]

  static let conditionTypes: Set<String> = ["Complete", "Failed", "Suspended", "Ready", "Reconciling", "Stalled"]

  /// What of a status is not the engine's: all that clients can set, and so own.
  static func others(of status: JSONValue?) -> JSONValue {
    var others = (status?.object ?? [:]).filter { !engine.contains($0.key) }
    let conditions = (status?["conditions"]?.array ?? []).filter { !isOurs(condition: $0) }
    if !conditions.isEmpty { others["conditions"] = .array(conditions) }
    return .object(others)
  }

  /// The engine's part of one status with what is not the engine's of another.
  static func merged(engine present: JSONValue?, others wanted: JSONValue?) -> JSONValue {
    var status = (present?.object ?? [:]).filter { engine.contains($0.key) && $0.key != "conditions" }
    let others = others(of: wanted)
    for (name, value) in others.object ?? [:] { status[name] = value }
    let conditions = (present?["conditions"]?.array ?? []).filter(isOurs) + (others["conditions"]?.array ?? [])
    if !conditions.isEmpty { status["conditions"] = .array(conditions) }
    return .object(status)
  }

  static func isOurs(condition: JSONValue) -> Bool { condition["type"]?.string.map(conditionTypes.contains) ?? true }
}
