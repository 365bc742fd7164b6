package import JSON

/// How a binding stands to its engine: the conditions of WorkflowBackend.
package struct BackendConditions: Sendable, Hashable {
  package struct Condition: Sendable, Hashable {
    /// nil for Unknown.
    package var status: Bool?
    /// CamelCase.
    package var reason: String
    /// For people; empty when all is well.
    package var message: String
    /// When status or reason last changed.
    package var since: Timestamp

    package init(_ status: Bool?, _ reason: String, _ message: String = "", since: Timestamp) {
      self.status = status
      self.reason = reason
      self.message = message
      self.since = since
    }

    mutating func become(_ status: Bool?, _ reason: String, _ message: String = "", now: Timestamp) {
      if status != self.status || reason != self.reason { since = now }
      self.status = status
      self.reason = reason
      self.message = message
    }
  }

  package var reachable: Condition
  package var authenticated: Condition
  /// True when the last full sweep and the last reading of the templates were complete and nothing is held back. Reasons when not: FirstSweep,
  /// Unreachable, ListFailed, UnreadableRuns, SuspiciousShrink, TemplatesFailed, UnreadableTemplates, MissingTemplates.
  package var synced: Condition
  package var engineVersion: String?

  init(now: Timestamp) {
    reachable = Condition(nil, "NotAsked", since: now)
    authenticated = Condition(nil, "NotAsked", since: now)
    synced = Condition(false, "FirstSweep", "the first full read of the engine has not ended", since: now)
  }
}
