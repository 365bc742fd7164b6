import AdapterKit
import JSON
import KubeWire
import OrderedCollections

@testable import Translation

/// A small random source that gives the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

func at(_ seconds: Double) -> Timestamp { Timestamp(microseconds: 1_800_000_000_000_000 + Int64(seconds * 1_000_000)) }

func testDraft(_ name: String, namespace: String = "default", uid: String? = nil, labels: [String: String] = [:], state: String = "a")
  -> ObjectDraft
{
  ObjectDraft(
    resource: .workflows, namespace: namespace, name: name, uid: uid ?? "uid-\(namespace)-\(name)", labels: labels,
    fields: ["metadata.name": name, "metadata.namespace": namespace, "status.phase": state],
    metadata: ["name": .string(name), "namespace": .string(namespace)], content: ["status": ["phase": .string(state)]], cells: [])
}

func emptyStore(
  windowCount: Int = 10_000, minimumAge: Duration = .seconds(600), windowBytes: Int = 128 << 20, epoch: UInt64 = 7
) -> ObjectStore {
  ObjectStore(
    settings: .init(
      apiVersion: "workflow.example.com/v1alpha1", windowCount: windowCount, minimumAge: minimumAge, windowBytes: windowBytes),
    epoch: epoch, now: at(0))
}

/// Shows a run under the names of its envelope (`{"uid", "at", "name", "timeout"?}`) or, when that is not its own, under its id.
struct TestProjection: RunProjecting {
  func project(_ run: KnownRun, binding: BindingID, ownsEnvelope: Bool) -> ObjectDraft? {
    guard let core = run.core, run.overlay?["hidden"]?.bool != true else { return nil }
    let envelope = ownsEnvelope ? run.envelope : nil
    let name = envelope?["name"]?.string ?? "run-\(run.key.id)"
    var draft = testDraft(
      name, uid: envelope?["uid"]?.string ?? "foreign-\(binding)-\(run.identity)", labels: core.labels, state: core.phase.rawValue)
    draft.content["status"] = [
      "phase": .string(core.phase.rawValue), "raw": .string(core.rawState), "attempt": .int(Int64(run.attemptCount)),
      "steps": .int(Int64(run.steps?.count ?? -1)),
    ]
    for name in ["finalizers", "deletionTimestamp"] { draft.metadata[name] = run.overlay?[name] ?? envelope?[name] }
    return draft
  }

  func envelopeIdentity(of run: KnownRun, binding: BindingID) -> EnvelopeIdentity? {
    guard let envelope = run.envelope, let uid = envelope["uid"]?.string, let moment = envelope["at"]?.int else { return nil }
    return EnvelopeIdentity(
      uid: uid, submittedAt: Timestamp(microseconds: moment), timeout: envelope["timeout"]?.int.map { Duration.seconds($0) },
      submissionKey: envelope["name"]?.string.map { "default.\($0)" })
  }

  func project(_ template: EngineTemplate, binding: BindingID) -> ObjectDraft? {
    var draft = testDraft(template.name)
    draft.resource = .workflowtemplates
    return draft
  }
}

func testEnvelope(_ name: String, at moment: Timestamp, timeout: Int64? = nil) -> JSONValue {
  var envelope: JSONValue = ["uid": .string("uid-\(name)"), "at": .int(moment.microseconds), "name": .string(name)]
  if let timeout { envelope["timeout"] = .int(timeout) }
  return envelope
}

/// What a client that watches has put together, with the rules that every client relies on.
struct Mirror {
  var objects: [String: StoredObject] = [:]
  var last: UInt64 = 0
  var faults: [String] = []

  init(_ list: ListResult) {
    for item in list.items { objects[item.key] = item }
    last = list.version
  }

  mutating func apply(_ event: WatchEvent) {
    let key = event.object.key
    if event.object.version <= last { faults.append("\(event.kind) \(key) at \(event.object.version) after \(last)") }
    last = max(last, event.object.version)
    switch event.kind {
    case .added:
      if objects[key] != nil { faults.append("ADDED \(key) twice") }
      objects[key] = event.object
    case .modified:
      if objects[key] == nil { faults.append("MODIFIED \(key) never added") }
      objects[key] = event.object
    case .deleted: if objects.removeValue(forKey: key) == nil { faults.append("DELETED \(key) never added") }
    }
  }

  var state: [String: String] { objects.mapValues { String(decoding: $0.json, as: UTF8.self) } }
}

extension ListResult {
  var state: [String: String] { Dictionary(uniqueKeysWithValues: items.map { ($0.key, String(decoding: $0.json, as: UTF8.self)) }) }
}

/// Everything that a cursor has to tell now.
func drain(_ cursor: inout WatchCursor, _ store: ObjectStore, limit: Int = 3) -> (events: [WatchEvent], ends: Int, expired: Bool) {
  var events: [WatchEvent] = []
  var ends = 0
  while true {
    switch cursor.next(limit: limit, in: store) {
    case .events(let more): events += more
    case .initialEventsEnd: ends += 1
    case .wait, .ended: return (events, ends, false)
    case .expired: return (events, ends, true)
    }
  }
}
