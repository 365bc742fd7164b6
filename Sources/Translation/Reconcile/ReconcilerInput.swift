package import AdapterKit
package import JSON

/// What happens to a reconciler.
package enum ReconcilerInput: Sendable {
  /// Begins; once.
  case start
  /// The moment of the last `.setTimer` has come. Harmless when it has not.
  case timer
  case page(Result<RunPage, AdapterError>, CallTimes)
  case changes(Result<ChangePage, AdapterError>, CallTimes)
  case overlays(Result<OverlayPage, AdapterError>, CallTimes)
  case templates(Result<TemplatePage, AdapterError>)
  case got(RunKey, Result<Observation, AdapterError>, CallTimes)
  case parent(RunKey, Result<Bool, AdapterError>)
  case health(EngineHealth)
  /// A cancel for a timeout was answered; what it showed was observed.
  case cancelled(RunKey, AdapterError?)
  /// What the store made of observations of this binding, whoever made them.
  case learnt([RunSummary], gone: [RunKey])
  /// Everything that was observed before is learnt; the echo of `.settle`.
  case settled(sweepRows: Bool)
  /// How a call went that was not ours (a live read, a write).
  case called(AdapterError?)
  /// An own write: look soon.
  case wake
  /// A live list wants a poll that begins now.
  case demand
  /// Somebody wants the templates read again.
  case demandTemplates
  /// Whether somebody watches.
  case watched(Bool)
  /// The operator confirms that so many runs are really gone.
  case acceptShrink
}

/// When a call began and ended, by our clock.
package struct CallTimes: Sendable, Hashable {
  package var began: Timestamp
  package var ended: Timestamp

  package init(began: Timestamp, ended: Timestamp) {
    self.began = began
    self.ended = ended
  }
}
