internal import AdapterKit
internal import JSON
internal import KubeWire
internal import OrderedCollections

/// What a write of `status` asks for: a phase to tell the engine, and what is kept beside the run. Everything else in a status is the engine's.
struct StatusChange: Sendable {
  /// nil when it is the present one.
  private(set) var phase: RunPhase?
  /// The members that the engine does not own, as they are to be.
  private(set) var kept = JSONObject()
  private(set) var changesKept = false
  /// What was not taken over.
  private(set) var warnings: [String] = []

  /// - Throws: what `refuse` makes of a phase that there is not.
  init(from before: JSONValue, to after: JSONValue, refuse: ([FieldError]) -> StatusError) throws(StatusError) {
    let old = before["status"]?.object ?? [:]
    let new = after["status"]?.object ?? [:]
    for (name, value) in new {
      switch name {
      case "conditions": readConditions(old["conditions"], value)
      case "phase":
        guard value != old["phase"] else { continue }
        let text = value.string ?? ""
        phase = RunPhase(rawValue: text)
        if phase == nil {
          throw refuse([.notSupported("status.phase", .string(text), supported: RunPhase.allCases.map(\.rawValue))])
        }
      case let name where StatusFields.engine.contains(name):
        if value.canonical != old[name]?.canonical { warnings.append(Self.ignored("status.\(name)")) }
      default: continue
      }
    }
    let others = StatusFields.others(of: after["status"])
    kept = others.object ?? [:]
    changesKept = StatusFields.others(of: before["status"]).canonical != others.canonical
  }

  private mutating func readConditions(_ old: JSONValue?, _ new: JSONValue) {
    for condition in new.array ?? [] where StatusFields.isOurs(condition: condition) {
      let type = condition["type"]?.string ?? ""
      let present = old?.array?.first { $0["type"]?.string == type }
      if present?.canonical != condition.canonical { warnings.append(Self.ignored("status.conditions[type=\(type)]")) }
    }
  }

  private static func ignored(_ field: String) -> String { "\(field) is set by the engine; the given value was not taken" }
}
