import AdapterKit
import JSON
import OrderedCollections
import Synchronization

/// What a check works with: the adapter, the fixture, and the few steps that all checks share.
final class Bench: Sendable {
  let adapter: any Adapter
  let abilities: AdapterAbilities
  let fixture: ConformanceFixture
  private let check: String
  private let state = Mutex((count: 0, keys: [RunKey]()))

  init(_ adapter: any Adapter, _ fixture: ConformanceFixture, check: String) {
    self.adapter = adapter
    abilities = adapter.abilities
    self.fixture = fixture
    self.check = check
  }

  var scope: AdapterScope { fixture.scope }

  func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw CheckFailure(message()) }
  }

  func unwrap<T>(_ value: T?, _ message: @autoclosure () -> String) throws -> T {
    guard let value else { throw CheckFailure(message()) }
    return value
  }

  func core(_ observation: Observation) throws -> RunCore {
    guard case .present(let core) = observation.core else { throw CheckFailure("the facet core is missing") }
    return core
  }

  /// A submission that no other check makes.
  func submission(_ work: ConformanceFixture.Work, schedule: String? = nil) -> Submission {
    let number = state.withLock { state in
      state.count += 1
      return state.count
    }
    let place = Check.all.firstIndex { $0.name == check } ?? 0
    let words = check.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.prefix(4).joined(separator: "-")
    let name = "\(fixture.nonce)-\(place)-\(words)-\(number)"
    let uid = uid(of: name)
    let envelope: JSONValue = [
      "v": 1, "namespace": "conformance", "name": .string(name), "uid": .string(uid), "submitTime": .string(fixture.now().rfc3339Seconds),
      "labels": ["team": "build", "quote": "a \"b\" \\ / ü 漢 🙂"], "empty": [:], "list": [1, 2.5, -3, true, nil, "x"],
      "spec": ["parameters": .object(work.parameters)],
    ]
    return Submission(
      key: "conformance.\(name)", uid: uid, template: work.template, parameters: work.parameters, steps: work.steps, timeout: nil,
      schedule: schedule, suspended: false, envelope: envelope, requestedBy: "conformance", scope: fixture.scope)
  }

  func submit(_ submission: Submission) async throws -> Observation {
    let observation = try await adapter.submit(submission)
    state.withLock { $0.keys.append(observation.key) }
    return observation
  }

  /// Starts a run without the gateway, and has it cleaned up like the others.
  func startForeign(_ envelope: JSONValue?) async throws -> RunKey {
    let key = try await unwrap(fixture.startForeign, "the fixture cannot start foreign runs")(envelope)
    state.withLock { $0.keys.append(key) }
    return key
  }

  /// Looks until the condition holds, or patience ends.
  func eventually(_ what: String, _ look: () async throws -> Bool) async throws {
    let clock = ContinuousClock()
    let end = clock.now + fixture.patience
    while true {
      if try await look() { return }
      guard clock.now < end else { throw CheckFailure("\(what) did not come within \(fixture.patience)") }
      try await Task.sleep(for: fixture.interval)
    }
  }

  /// Drives the run to a phase and waits for it.
  @discardableResult
  func reach(_ phase: RunPhase, _ key: RunKey) async throws -> Observation {
    await fixture.drive(key, phase)
    var last: Observation?
    try await eventually("phase \(phase.rawValue) of \(key)") {
      let observation = try await adapter.get(key, scope: scope)
      last = observation
      let now = try core(observation).phase
      if now.isTerminal && now != phase { throw CheckFailure("\(key) is \(now.rawValue) in place of \(phase.rawValue)") }
      return now == phase
    }
    return try unwrap(last, "no observation")
  }

  /// All rows of a full sweep.
  func sweep() async throws -> [Observation] {
    var rows: [Observation] = []
    var cursor: JSONValue?
    var pages = 0
    repeat {
      let page = try await adapter.list(scope, since: nil, cursor: cursor)
      try require(page.unreadable.isEmpty, "unreadable rows: \(page.unreadable.prefix(3))")
      rows += page.observations
      try require(page.next == nil || page.next != cursor, "a page names itself as the next one")
      cursor = page.next
      pages += 1
      try require(pages < 10_000, "the list does not end")
    } while cursor != nil
    return rows
  }

  /// The code of the error that a call ends with; nil when it succeeds.
  func failure<T>(_ body: () async throws -> T) async throws -> AdapterError? {
    do {
      _ = try await body()
      return nil
    } catch let error as AdapterError {
      return error
    }
  }

  /// Cancels and deletes what the check started, as far as the adapter can.
  func cleanUp() async {
    for key in state.withLock({ $0.keys }) {
      if key.kind == .run { _ = try? await abilities.cancelling?.cancel(key, uid: "", reason: "cleaning up", scope: scope) }
      guard let deleting = abilities.deleting else { continue }
      for _ in 0..<20 {
        do throws(AdapterError) {
          try await deleting.delete(key, scope: scope)
          break
        } catch {
          guard error.code == .conflict else { break }
          try? await Task.sleep(for: fixture.interval)
        }
      }
    }
  }

  /// A version 4 uid made of the name, so that a second look at a transcript finds it again.
  private func uid(of name: String) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    var digits = ""
    for round in 0..<2 {
      for byte in name.utf8 + [UInt8(round)] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      let text = String(hash, radix: 16)
      digits += String(repeating: "0", count: 16 - text.count) + text
    }
    let d = Array(digits)
    return String(d[0..<8]) + "-" + String(d[8..<12]) + "-4" + String(d[13..<16]) + "-a" + String(d[17..<20]) + "-" + String(d[20..<32])
  }
}
