import AdapterKit
import JSON

/// One run, or one schedule, as the engine keeps it.
struct InMemoryRun {
  var key: RunKey
  /// Order of creation; the list's cursor.
  var number: Int64
  /// The engine's counter at its last change.
  var sequence: Int64
  var submissionKey: String?
  var uid: String?
  var attempt: Int64 = 1
  var core: RunCore
  var envelope: JSONValue?
  var overlay: JSONValue?
  var steps: [RunStep] = []
  var isRebuild = false
  var timeout: Duration?
  var log: [UInt8] = []
  var requestedBy: String?

  /// What a call shows of it: everything in a get, the row in a list.
  func observation(whole: Bool, overlay showsOverlay: Bool) -> Observation {
    Observation(
      key: key, identity: "\(key.kind.rawValue):\(key.parent)/\(key.id)", attempt: .number(attempt), order: .sequence(sequence),
      core: .present(core),
      envelope: envelope.map { .present($0) } ?? .absent, overlay: showsOverlay ? overlay.map { .present($0) } ?? .absent : .unseen,
      steps: whole ? .present(steps) : .unseen, isRebuild: isRebuild)
  }

  var isSchedule: Bool { key.kind == .schedule }
}
