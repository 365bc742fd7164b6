/// How much of a request is written down; each level includes those before it.
package enum AuditLevel: String, CaseIterable, Sendable, Comparable {
  case none = "None"
  /// Who, what, when and how it ended.
  case metadata = "Metadata"
  /// And the body of the request.
  case request = "Request"
  /// And the body of the answer.
  case requestResponse = "RequestResponse"

  var index: Int { Self.allCases.firstIndex(of: self)! }

  package static func < (a: AuditLevel, b: AuditLevel) -> Bool { a.index < b.index }
}

/// The moments of a request at which an event is written. `Panic` is a name that policies may use; nothing here makes such an event.
package enum AuditStage: String, CaseIterable, Sendable {
  case requestReceived = "RequestReceived"
  /// The head of an answer whose body takes long: watches and logs.
  case responseStarted = "ResponseStarted"
  case responseComplete = "ResponseComplete"
  case panic = "Panic"
}
