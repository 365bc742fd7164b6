import AdapterKit
import JSON
import Testing

@Suite struct AbilityTests {
  /// The least that an adapter can be.
  private struct Plain: Adapter {
    var traits: AdapterTraits { AdapterTraits(engine: "Plain", name: "plain", version: "1", submissionKeys: .none) }
    func health() async throws(AdapterError) -> EngineHealth { EngineHealth(reachable: true) }
    func submit(_ submission: Submission) async throws(AdapterError) -> Observation { throw AdapterError(.unsupported, "no") }
    func get(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation { throw AdapterError(.notFound, "no") }
    func list(_ scope: AdapterScope, since: Timestamp?, cursor: JSONValue?) async throws(AdapterError) -> RunPage {
      RunPage(observations: [])
    }
    func find(submissionKey: String, template: String?, kind: RunKey.Kind, scope: AdapterScope) async throws(AdapterError) -> Observation? {
      nil
    }
  }

  private struct Able: Adapter, Cancelling, LogReading {
    /// Takes one ability back, as an adapter does whose engine was configured without it.
    var readsLogs = true
    private let plain = Plain()
    var traits: AdapterTraits { plain.traits }
    var abilities: AdapterAbilities {
      var abilities = AdapterAbilities(of: self)
      if !readsLogs { abilities.logs = nil }
      return abilities
    }
    func health() async throws(AdapterError) -> EngineHealth { try await plain.health() }
    func submit(_ submission: Submission) async throws(AdapterError) -> Observation { try await plain.submit(submission) }
    func get(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation { try await plain.get(key, scope: scope) }
    func list(_ scope: AdapterScope, since: Timestamp?, cursor: JSONValue?) async throws(AdapterError) -> RunPage {
      RunPage(observations: [])
    }
    func find(submissionKey: String, template: String?, kind: RunKey.Kind, scope: AdapterScope) async throws(AdapterError) -> Observation? {
      nil
    }
    func cancel(_ key: RunKey, uid: String, reason: String, scope: AdapterScope) async throws(AdapterError) -> Observation? { nil }
    func log(_ key: RunKey, _ options: LogOptions, scope: AdapterScope) async throws(AdapterError) -> LogStream {
      LogStream(next: { () throws(AdapterError) in nil }, cancel: {})
    }
  }

  private func names(_ abilities: AdapterAbilities) -> [String] {
    Mirror(reflecting: abilities).children.filter { Mirror(reflecting: $0.value).children.count == 1 }.compactMap(\.label)
  }

  @Test func anAdapterHasTheAbilitiesThatItConformsTo() {
    #expect(names(Plain().abilities) == [])
    #expect(names(Able().abilities) == ["cancelling", "logs"])
    #expect(names(Able(readsLogs: false).abilities) == ["cancelling"])
    #expect(names(AdapterAbilities()) == [])
  }

  @Test func defaults() async throws {
    let plain = Plain()
    #expect(try await plain.parentIsReadable(RunKey(id: "1"), scope: AdapterScope()))
    #expect(plain.traits.submitDeadline == .seconds(60) && plain.traits.listReachRows == nil && !plain.traits.runsInlineSteps)
    let error = AdapterError(.rateLimited, "slow down", retryAfter: .seconds(3))
    #expect("\(error)" == "slow down" && "\(error.code)" == "rateLimited" && !error.inDoubt && error.code != .unavailable)
  }
}
