import AdapterKit
import JSON
import KubeWire
import OrderedCollections
import Synchronization
import Testing

@testable import Translation

@Suite(.timeLimit(.minutes(10))) struct BindingDriverTests {
  private let adapter = ModelAdapter()
  private let clock = ManualClock()
  private let store = SharedStore(
    RunStore(objects: emptyStore(), bindings: [BindingSettings(id: "b", namespaces: ["default"])], projection: TestProjection()))

  /// Runs a driver that has swept, and ends it.
  private func withDriver(poll: Duration = .zero, mayWrite: Bool = true, _ body: (BindingDriver) async throws -> Void) async throws {
    let driver = BindingDriver(
      binding: BindingSettings(id: "b", namespaces: ["default"]), adapter: adapter, scope: AdapterScope(),
      settings: ReconcilerSettings(pollInterval: poll), store: store, mayWrite: mayWrite, clock: clock, random: { 0.5 })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await driver.run() }
      await until { driver.isSwept }
      try await body(driver)
      driver.stop()
      try await group.waitForAll()
    }
  }

  private func until(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

  private func raw(_ name: String) -> String? {
    store.read { $0.objects.object(.workflows, namespace: "default", name: name) }?.draft.content["status"]?["raw"]?.string
  }

  @Test func withPollingOffALiveReadShowsTheChangeAtOnce() async throws {
    adapter.engine.withLock { $0.set("1") { _ in } }
    try await withDriver { driver in
      adapter.engine.withLock { $0.set("1") { $0.raw = "changed" } }
      #expect(raw("run-1") == "r0")
      clock.advance(10)
      #expect(await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) == .fresh)
      #expect(raw("run-1") == "changed")
      adapter.engine.withLock { $0.set("2") { _ in } }
      #expect(await driver.refreshList(startedAfter: clock.now) == .fresh)
      #expect(raw("run-2") == "r0")
      #expect(await driver.refresh(RunKey(id: "9"), startedAfter: clock.now) == .gone)
    }
  }

  @Test func fiftyReadersCostOneCall() async throws {
    adapter.engine.withLock { $0.set("1") { ($0.phase, $0.finished) = (.succeeded, at(0)) } }
    try await withDriver { driver in
      clock.advance(10)
      let before = adapter.calls("get")
      let outcomes = await withTaskGroup(of: RefreshOutcome.self) { group in
        for _ in 0..<50 { group.addTask { await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.allSatisfy { $0 == .fresh } && adapter.calls("get") == before + 1)
      clock.advance(2)
      #expect(await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) == .fresh)
      #expect(adapter.calls("get") == before + 2)
      let polls = adapter.calls("changes")
      await withTaskGroup(of: RefreshOutcome.self) { group in
        for _ in 0..<50 { group.addTask { await driver.refreshList(startedAfter: clock.now) } }
      }
      #expect(adapter.calls("changes") == polls + 1)
    }
  }

  @Test func noReadBeginsDuringAWrite() async throws {
    adapter.engine.withLock { $0.set("1") { ($0.phase, $0.finished) = (.succeeded, at(0)) } }
    try await withDriver { driver in
      clock.advance(10)
      let before = adapter.calls("get")
      let reader = await driver.withRunLock(RunKey(id: "1")) {
        let reader = Task { await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) }
        for _ in 0..<100 { await Task.yield() }
        #expect(adapter.calls("get") == before)
        adapter.engine.withLock { $0.set("1") { $0.raw = "written" } }
        return reader
      }
      #expect(await reader.value == .fresh)
      #expect(raw("run-1") == "written" && adapter.calls("get") == before + 1)
    }
  }

  @Test func aReaderThatMayNotWaitIsTold() async throws {
    adapter.engine.withLock { $0.set("1") { ($0.phase, $0.finished) = (.succeeded, at(0)) } }
    try await withDriver { driver in
      clock.advance(10)
      adapter.hold()
      let before = adapter.calls("get")
      async let late = driver.refresh(RunKey(id: "1"), startedAfter: clock.now, within: .seconds(2))
      await until { adapter.calls("get") > before }
      let ticking = Task { while !Task.isCancelled { clock.advance(0.1); await Task.yield() } }
      #expect(await late == .late)
      ticking.cancel()
      adapter.letGo()
    }
  }

  @Test func whileTheEngineFailsReadersDoNotWaitForIt() async throws {
    adapter.engine.withLock { $0.set("1") { ($0.phase, $0.finished) = (.succeeded, at(0)) } }
    try await withDriver { driver in
      clock.advance(10)
      adapter.engine.withLock { $0.isDown = true }
      guard case .failed = await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) else { Issue.record("not failed"); return }
      let calls = adapter.calls("get")
      for _ in 0..<10 { _ = await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) }
      guard case .failed(let error) = await driver.refreshList(startedAfter: clock.now) else { Issue.record("not failed"); return }
      #expect(error.code == .unavailable && adapter.calls("get") == calls)
      #expect(raw("run-1") == "r0" && driver.conditions.reachable.status == false)
      adapter.engine.withLock { $0.isDown = false }
      clock.advance(5)
      #expect(await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) == .fresh)
      #expect(driver.conditions.reachable.status == true)
    }
  }

  @Test func whatAVerbObservesReachesTheReconciler() async throws {
    adapter.engine.withLock { $0.set("1") { $0.envelope = .present(testEnvelope("mine", at: at(0), timeout: 100)) } }
    try await withDriver { driver in
      #expect(raw("mine") == "r0")
      let observation = adapter.engine.withLock { engine in
        engine.set("2") { $0.envelope = .present(testEnvelope("two", at: at(0), timeout: 50)) }
        return engine.observation("2", engine.runs["2"]!, isRow: false)
      }
      driver.observe([Observed("b", observation, began: clock.now, ended: clock.now, source: .write)])
      #expect(raw("two") == "r0")
      clock.advance(60)
      await until { adapter.calls("cancel") == 1 }
      await until { raw("two") == "TimedOut" }
      // A reading of it may be under way.
      adapter.engine.withLock { $0.runs["2"] = nil }
      driver.forget(RunKey(id: "2"))
      #expect(raw("two") == nil)
    }
  }

  @Test func aTimeoutHoldsAlsoInAHiddenNamespace() async throws {
    adapter.engine.withLock { $0.set("1") { $0.envelope = .present(testEnvelope("mine", at: at(0), timeout: 50)) } }
    try await withDriver { driver in
      store.setNamespace("default", isHidden: true, now: clock.now)
      clock.advance(60)
      await until { adapter.calls("cancel") == 1 }
      #expect(raw("mine") == nil)
    }
  }

  @Test func aBindingThatObservesCancelsNothing() async throws {
    adapter.engine.withLock { $0.set("1") { $0.envelope = .present(testEnvelope("mine", at: at(0), timeout: 50)) } }
    try await withDriver(mayWrite: false) { driver in
      clock.advance(60)
      for _ in 0..<1000 { await Task.yield() }
      #expect(await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) == .fresh)
      #expect(adapter.calls("cancel") == 0 && raw("mine") == "r0")
    }
  }

  @Test func stoppingTellsWhoWaits() async throws {
    adapter.engine.withLock { $0.set("1") { ($0.phase, $0.finished) = (.succeeded, at(0)) } }
    try await withDriver { driver in
      clock.advance(10)
      adapter.hold()
      let before = adapter.calls("get")
      let reader = Task { await driver.refresh(RunKey(id: "1"), startedAfter: clock.now) }
      await until { adapter.calls("get") > before }
      adapter.letGo()
      driver.stop()
      let outcome = await reader.value
      #expect(outcome != .late)
    }
  }
}
