import Foundation
import JSON
import OrderedCollections
import Testing

@testable import EngineCore

@Suite struct JournalTests {
  private let folder = NSTemporaryDirectory() + "engine-journal-\(UUID().uuidString)"

  private func path() -> String { "\(folder)/journal.jsonl" }

  /// Everything that must survive, as storage writes it.
  private func image(_ state: EngineState) -> [String] {
    JournalRecord.snapshot(state).dropFirst().map { String(decoding: $0, as: UTF8.self) }
  }

  private func load(limits: EngineState.Limits = .init(), at now: Timestamp = Timestamp("2026-03-02T00:00:00Z")!) throws -> (
    Journal, EngineState
  ) {
    let journal = try Journal(folder: folder)
    var state = EngineState(limits: limits, seed: 3, now: now)
    try journal.load(into: &state)
    return (journal, state)
  }

  @Test func aRestartLosesNothing() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var history = History()
    do {
      let (journal, state) = try load(at: history.now)
      history.state = state
      let template = try TemplateRequest.template(
        JSONDocument(#"{"steps":[{"name":"a","command":["x"]}]}"#).root, name: "t", now: history.now)
      _ = try history.turn { state, _ in try state.putTemplate(template) }
      let job = try history.job(
        steps: ["a", "b"],
        #""idempotencyKey":"k","envelope":{ "x" : 1.0 },"overlay":"line\nfeed","labels":{"ü":"\"q\""},"parameters":{"n":[1,null]},"timeout":5"#
      )
      history.end(job.id, .exited(2))
      _ = try history.schedule(#""schedule":"@daily","timeZone":"Europe/Berlin""#)
      let gone = try history.job()
      history.end(gone.id)
      _ = try history.turn { state, now in try state.delete(gone.id, now: now) }
      try journal.append(history.journal, state: history.state)
    }
    let (_, restored) = try load()
    #expect(image(restored) == image(history.state))
    #expect(restored.seq == history.state.seq && restored.jobs.coveredFrom == history.state.jobs.coveredFrom)
    #expect(restored.idempotency == history.state.idempotency)
    // And once more, from the snapshot that the restart wrote.
    let (_, again) = try load()
    #expect(image(again) == image(history.state))
    var ids = again.ids
    #expect(ids.next(now: Timestamp(seconds: 1)) > history.state.jobs.objects.keys.max()!)
  }

  @Test func changesOfOneTurnComeBackInTheirOrder() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var limits = EngineState.Limits()
    limits.parallelJobs = 1
    var history = History(limits: limits)
    do {
      let (journal, state) = try load(limits: limits, at: history.now)
      history.state = state
      let first = try history.job().id
      _ = try history.job()
      // This turn changes the first job, then the second, in one batch.
      history.end(first)
      try journal.append(history.journal, state: history.state)
    }
    let (_, restored) = try load(limits: limits)
    let since = restored.jobs.coveredFrom
    func changes(_ state: EngineState) throws -> [Int64] {
      try state.listJobs(query("changedSince=\(since)")).items.map { if case .object(let job) = $0 { job.seq } else { 0 } }
    }
    #expect(try changes(restored) == changes(history.state))
  }

  @Test func runningStepsAreMarkedHonestly() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var limits = EngineState.Limits()
    limits.parallelJobs = 2
    var history = History(limits: limits)
    var jobs: [String] = []
    do {
      let (journal, state) = try load(limits: limits, at: history.now)
      history.state = state
      for _ in 0..<4 { jobs.append(try history.job(steps: ["a", "b"]).id) }
      _ = try history.turn { state, now in try state.cancel(jobs[1], reason: "old", grace: nil, now: now) }
      try journal.append(history.journal, state: history.state)
    }
    var (_, restored) = try load(limits: limits)
    restored.recover(now: Timestamp("2026-03-02T00:00:00Z")!)
    #expect(jobs.map { restored.jobs[$0]!.state } == [.failed, .cancelled, .running, .running])
    #expect(restored.jobs[jobs[0]]!.message == "step a: engine restarted while the step was running")
    #expect(restored.jobs[jobs[0]]!.steps.map(\.state) == [.failed, .skipped])
    #expect(restored.jobs[jobs[1]]!.message == "cancelled: old")
    let actions = restored.takeEffects().actions
    #expect(actions.contains(.killLeftovers(job: jobs[0])) && actions.contains(.killLeftovers(job: jobs[1])))
    _ = try restored.retry(jobs[0], now: Timestamp("2026-03-02T00:00:01Z")!)
    #expect(restored.jobs[jobs[0]]!.attempt == 2)
  }

  @Test func aTornLastLineIsDropped() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var history = History()
    do {
      let (journal, state) = try load(at: history.now)
      history.state = state
      _ = try history.job()
      try journal.append(history.journal, state: history.state)
    }
    let whole = try Files.read(path())
    let torn = whole + Array(history.journal[0].prefix(history.journal[0].count / 2))
    try Files.replace(path(), with: torn)
    let (_, restored) = try load()
    #expect(image(restored) == image(history.state))
  }

  @Test func damageInTheMiddleStopsTheStart() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    do {
      let (journal, state) = try load()
      try journal.append([Array("{\"op\":\"job\",\"value\":{}}".utf8), Array("{}".utf8)], state: state)
    }
    let error = #expect(throws: FileError.self) { _ = try load() }
    #expect(error?.description.contains("damaged in line 2") == true)
  }

  @Test func twoEnginesDoNotShareAFolder() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let first = try Journal(folder: folder)
    let error = #expect(throws: FileError.self) { _ = try Journal(folder: folder) }
    #expect(error?.description.contains("another engine") == true)
    withExtendedLifetime(first) {}
  }

  @Test func afterAFailureNothingIsStoredAnyMore() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (journal, state) = try load()
    journal.close()
    #expect(journal.failure != nil)
    #expect(throws: FileError.self) { try journal.append([Array("{}".utf8)], state: state) }
    // Another engine can have the folder.
    _ = try load()
  }

  @Test func templatesComeFromFiles() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Files.makeFolder(folder)
    let step = #""steps":[{"name":"a","command":["true"]}]"#
    try Files.replace("\(folder)/one.json", with: Array(#"{"name":"one",\#(step)}"#.utf8))
    try Files.replace("\(folder)/more.json", with: Array(#"[{"name":"two",\#(step)},{"name":"three",\#(step)}]"#.utf8))
    let templates = try TemplateFiles.load(folder)
    #expect(templates.map(\.name) == ["two", "three", "one"] && templates.allSatisfy(\.isFromFile))
    try Files.replace("\(folder)/bad.json", with: Array(#"{"name":"bad"}"#.utf8))
    let error = #expect(throws: FileError.self) { _ = try TemplateFiles.load(folder) }
    #expect(error?.description.contains("bad.json: steps") == true)
    var history = History()
    history.turn { state, _ in state.put(templates[0]) }
    #expect(history.journal.count == 0)
    #expect(refusal { _ = try history.turn { state, _ in try state.deleteTemplate("two") } }?.code == "templateFromFile")
  }

  @Test func itIsRewrittenWhenItHasGrown() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (journal, state) = try load()
    let line = Array("{\"op\":\"templateDeleted\",\"id\":\"\(String(repeating: "x", count: 4 << 20))\"}".utf8)
    for _ in 0..<9 { try journal.append([line], state: state) }
    #expect(try Files.read(path()).count < 16 << 20)
  }
}
