package import AdapterKit
package import JSON

/// What a reconciler wants to be done. Calls answer with the input of the same name; the others are done in order, at once.
package enum ReconcilerAction: Sendable {
  case list(since: Timestamp, cursor: JSONValue?)
  case changes(mark: JSONValue?)
  case overlays(cursor: JSONValue?)
  case templates(cursor: JSONValue?)
  case get(RunKey)
  case checkParent(RunKey)
  case health
  /// The run is older than its timeout and its engine does not care.
  case cancelTimedOut(RunKey)

  case observe([Observed])
  case observeOverlays([String: JSONValue], CallTimes)
  case observeTemplates([EngineTemplate])
  /// Proven gone: DELETED.
  case forget([RunKey])
  /// To be answered with `.settled` after everything before it was done. `sweepRows`: among that are the last rows of a sweep.
  case settle(sweepRows: Bool)
  /// The first full sweep has ended: the binding can be read.
  case markSwept
  /// Let runs go whose window is over.
  case expire
  /// A poll has ended that live lists may have waited for.
  case pollEnded(began: Timestamp, AdapterError?)
  /// A reading of all templates has ended that somebody may have waited for.
  case templatesEnded(began: Timestamp, AdapterError?)
  /// Wake up at this moment, and forget any other.
  case setTimer(at: Timestamp)
  case status(BackendConditions)
}
