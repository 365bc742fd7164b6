internal import JSON

/// Which part of a Workflow's status is the engine's.
enum StatusFields {
  static let engine: Set<String> = [
    "phase", "reason", "message", "startTime", "completionTime", "attempt", "progress", "lastScheduleTime", "nextRunTime",
    "observedGeneration", "conditions", "steps", "backend",
  ]

  static let conditionTypes: Set<String> = ["Complete", "Failed", "Suspended", "Ready", "Reconciling", "Stalled"]

  static func isOurs(condition: JSONValue) -> Bool { condition["type"]?.string.map(conditionTypes.contains) ?? true }
}
