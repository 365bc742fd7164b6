import AdapterConformance
import AdapterKit
import InMemoryAdapter
import JSON
import OrderedCollections
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct InMemoryConformanceTests {
  @Test func everyAbility() async throws {
    let report = await report(InMemoryOptions())
    #expect(report.failures.isEmpty, "\(report)")
    #expect(report.results.count { $0.outcome == .passed } == Conformance.names.count - 2, "\(report)")
  }

  @Test func overlayBesideTheListAndSmallPages() async throws {
    var options = InMemoryOptions()
    options.overlayComesWithRuns = false
    options.pageSize = 1
    options.submissionKeys = .enforcedForever
    options.enforcesTimeout = true
    let report = await report(options)
    #expect(report.failures.isEmpty, "\(report)")
  }

  @Test func noAbilityAtAll() async throws {
    var options = InMemoryOptions()
    options.lacks = Set(InMemoryOperation.allCases)
    options.submissionKeys = .none
    options.keepsSchedules = false
    options.runsInlineSteps = false
    let report = await report(options)
    #expect(report.failures.isEmpty, "\(report)")
    #expect(report.results.contains { $0.outcome == .skipped("cannot cancel") })
  }

  /// A check that cannot fail is none: each of these adapters breaks one promise.
  @Test(arguments: [
    (Breach.forgetsEnvelope, "the envelope comes back verbatim"), (.sharesIdentity, "the list has every run once"),
    (.finishesEmpty, "the list has every run once"), (.ignoresKeys, "a second submission with the same key is refused"),
    (.keepsAttempt, "a retried run goes on with a greater attempt"), (.saysFailed, "a cancelled run ends as Failed with reason Cancelled"),
    (.cutsOverlays, "an overlay may be as large as promised"), (.unreachable, "health says reachable and authenticated"),
  ])
  func brokenPromisesAreFound(_ breach: Breach, _ check: String) async throws {
    let (adapter, fixture) = bench(InMemoryOptions())
    let report = await Conformance(BrokenAdapter(adapter, breach), fixture).run(only: [check])
    #expect(report.failures.map(\.name) == [check], "\(report)")
  }

  private func report(_ options: InMemoryOptions) async -> ConformanceReport {
    let (adapter, fixture) = bench(options)
    return await Conformance(adapter, fixture).run()
  }

  private func bench(_ base: InMemoryOptions) -> (InMemoryAdapter, ConformanceFixture) {
    let clock = ManualClock()
    var options = base
    options.templates = [
      EngineTemplate(name: "quick", parametersSchema: ["type": "object", "properties": ["n": ["type": "integer"]]]),
      EngineTemplate(name: "slow"),
    ]
    let adapter = InMemoryAdapter(options: options, now: clock.read)
    let fixture = ConformanceFixture(
      scope: AdapterScope(["project": "p"]), quick: .init(template: "quick", parameters: ["n": 1]), slow: .init(template: "slow"),
      failing: .init(template: "quick"), inline: .init(steps: [InlineStep(name: "build"), InlineStep(name: "test")]), quickOutput: "hello",
      nonce: "t", patience: .seconds(3), interval: .milliseconds(1),
      drive: { key, phase in
        clock.advance(by: .seconds(1))
        guard case .present(let core) = adapter.peek(key)?.core, !core.phase.isTerminal else { return }
        switch phase {
        case .running where core.phase == .pending: try? adapter.start(key)
        case .succeeded:
          try? adapter.appendLog("hello\n", to: key)
          try? adapter.finish(key)
        case .failed: try? adapter.fail(key)
        case .pending, .running: break
        }
      },
      startForeign: { envelope in adapter.startForeignRun(template: "quick", project: "p", envelope: envelope, isRebuild: envelope != nil)
      },
      now: clock.read)
    return (adapter, fixture)
  }
}
