import AdapterKit
import InMemoryAdapter
import JSON
import OrderedCollections

/// A promise of the contract that an adapter can break.
enum Breach: Sendable {
  case forgetsEnvelope, sharesIdentity, finishesEmpty, ignoresKeys, keepsAttempt, saysFailed, cutsOverlays, unreachable
}

/// An in-memory adapter that breaks one promise.
struct BrokenAdapter: Adapter, Cancelling, Retrying, OverlayKeeping {
  let base: InMemoryAdapter
  let breach: Breach

  init(_ base: InMemoryAdapter, _ breach: Breach) {
    self.base = base
    self.breach = breach
  }

  var traits: AdapterTraits { base.traits }

  private func broken(_ observation: Observation) -> Observation {
    var observation = observation
    switch breach {
    case .forgetsEnvelope:
      if case .present(var envelope) = observation.envelope {
        envelope["list"] = nil
        observation.envelope = .present(envelope)
      }
    case .sharesIdentity: observation.identity = "the same"
    case .keepsAttempt: observation.attempt = .number(1)
    case .saysFailed:
      if case .present(var core) = observation.core {
        core.reason = nil
        observation.core = .present(core)
      }
    default: break
    }
    return observation
  }

  func health() async throws(AdapterError) -> EngineHealth {
    breach == .unreachable ? EngineHealth(reachable: false, message: "down") : try await base.health()
  }

  func submit(_ submission: Submission) async throws(AdapterError) -> Observation {
    var submission = submission
    if breach == .ignoresKeys { submission.key += "\(base.keys.count)" }
    return broken(try await base.submit(submission))
  }

  func get(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation { broken(try await base.get(key, scope: scope)) }

  func list(_ scope: AdapterScope, since: Timestamp?, cursor: JSONValue?) async throws(AdapterError) -> RunPage {
    if breach == .finishesEmpty { return RunPage(observations: []) }
    var page = try await base.list(scope, since: since, cursor: cursor)
    page.observations = page.observations.map(broken)
    return page
  }

  func find(submissionKey: String, template: String?, kind: RunKey.Kind, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await base.find(submissionKey: submissionKey, template: template, kind: kind, scope: scope).map(broken)
  }

  func cancel(_ key: RunKey, uid: String, reason: String, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await base.cancel(key, uid: uid, reason: reason, scope: scope).map(broken)
  }

  func retry(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation? {
    try await base.retry(key, scope: scope).map(broken)
  }

  var overlayLimit: Int { base.overlayLimit }
  var overlayComesWithRuns: Bool { base.overlayComesWithRuns }

  func setOverlay(_ overlay: JSONValue?, of key: RunKey, uid: String, scope: AdapterScope) async throws(AdapterError) {
    var overlay = overlay
    if breach == .cutsOverlays, let text = overlay?["x"]?.string { overlay = ["x": .string(String(text.dropLast()))] }
    try await base.setOverlay(overlay, of: key, uid: uid, scope: scope)
  }

  func overlay(of key: RunKey, uid: String, scope: AdapterScope) async throws(AdapterError) -> JSONValue? {
    try await base.overlay(of: key, uid: uid, scope: scope)
  }

  func overlays(scope: AdapterScope, cursor: JSONValue?) async throws(AdapterError) -> OverlayPage {
    try await base.overlays(scope: scope, cursor: cursor)
  }
}
