internal import AdapterKit
internal import JSON

/// One run in the store: what is known of it, and as what it is shown.
struct RunEntry: Sendable {
  var run: KnownRun
  /// Of the envelope it carries, its own or a copy.
  var envelope: EnvelopeIdentity?
  /// As last projected; names its overlay. Made of the first one, which it has by its envelope or its identity (``Succession``).
  var uid: String?
  var firstUID: String?
  /// `namespace/name` that it claims, alone or among others.
  var claim: String?
  /// It holds the claim: its object is in the store.
  var isShown = false
  /// When the latest complete reading of overlays began that did not have the one we know.
  var overlayMissed: Timestamp?
  /// When the call began that last changed its core.
  var coreChangedAt = Timestamp(microseconds: .min)

  /// The uid of the envelope that it was certainly made for, since its times once said so: for the life of the process, wherever these go.
  var provenUID: String?
  /// The answer to our own submission showed it with that uid: no time and no lower id counts against that.
  var wasSubmittedHere = false

  /// When it was first seen active again after its uid had left the window.
  var renewedAt: Timestamp?

  init(_ run: KnownRun) { self.run = run }

  /// The end of the run, after which its window counts; nil while it is active.
  var endedAt: Timestamp? {
    guard run.key.kind == .run, let core = run.core, core.phase.isTerminal else { return nil }
    return core.finishedAt ?? core.startedAt ?? core.createdAt
  }

  /// When it is to be cancelled for its age, by our clock; nil when never.
  func cancelAt(ownsEnvelope: Bool, _ clock: EngineClock) -> Timestamp? {
    guard ownsEnvelope, run.key.kind == .run, run.isActive, let envelope, let timeout = envelope.timeout else { return nil }
    return (run.core?.startedAt.map { $0 - clock.offset } ?? envelope.submittedAt) + timeout
  }
}

extension RunKey {
  /// The order in which runs that carry the same envelope own it: schedules first, then the lowest id; numbers by value.
  static func precedes(_ a: RunKey, _ b: RunKey) -> Bool {
    if a.kind != b.kind { return a.kind == .schedule }
    if a.id == b.id { return a.parent < b.parent }
    if let x = UInt64(a.id), let y = UInt64(b.id), x != y { return x < y }
    return a.id < b.id
  }
}
