package import AdapterKit
package import JSON

/// Everything that was learnt of one run, facet by facet.
package struct KnownRun: Sendable {
  package let key: RunKey
  package let identity: String
  package internal(set) var attempt: Attempt
  /// For `status.attempt`: from 1, grows with each new attempt.
  package internal(set) var attemptCount: Int
  package internal(set) var order: EngineOrder?
  package internal(set) var isRebuild: Bool
  package internal(set) var coreFacet = KnownFacet<RunCore>()
  package internal(set) var envelopeFacet = KnownFacet<JSONValue>()
  package internal(set) var overlayFacet = KnownFacet<JSONValue>()
  package internal(set) var stepsFacet = KnownFacet<[RunStep]>()
  /// When we first learnt of it.
  package let firstSeen: Timestamp
  /// When the latest call began that saw it.
  package internal(set) var lastSeen: Timestamp

  init(_ observation: Observation, began: Timestamp, now: Timestamp) {
    key = observation.key
    identity = observation.identity
    attempt = observation.attempt
    attemptCount = Self.count(observation.attempt) ?? 1
    order = observation.order
    isRebuild = observation.isRebuild
    firstSeen = now
    lastSeen = began
  }

  package var core: RunCore? { coreFacet.known }
  /// The document of the run, ours or a copy; nil when it has none or that is not known.
  package var envelope: JSONValue? { envelopeFacet.known }
  package var overlay: JSONValue? { overlayFacet.known }
  package var steps: [RunStep]? { stepsFacet.known }
  package var isActive: Bool { core.map { !$0.phase.isTerminal } ?? true }

  static func count(_ attempt: Attempt) -> Int? { if case .number(let number) = attempt { Int(clamping: max(1, number)) } else { nil } }
}

/// A part of a run with the call that it was learnt from.
package struct KnownFacet<Value: Sendable & Hashable>: Sendable {
  package internal(set) var value: Facet<Value> = .unseen
  /// Of the call; meaningless while unseen.
  package internal(set) var began = Timestamp(microseconds: .min)
  package internal(set) var ended = Timestamp(microseconds: .min)
  package internal(set) var source = Observed.Source.list

  package var known: Value? { if case .present(let value) = value { value } else { nil } }
  package var isSeen: Bool { value != .unseen }
}
