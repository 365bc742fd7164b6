internal import HTTPMessage
internal import JSON
internal import KubeWire
package import Translation

/// Takes events, each a line of JSON with its line feed.
package protocol AuditSink: Sendable {
  /// Returns when the line has its place; waits while there is none.
  func write(_ line: [UInt8]) async
  /// For the few that end where nothing may wait: takes the line in any case.
  func writeNow(_ line: [UInt8])
}

/// Audits requests: decides by the policy, and hands the events to the sink.
package final class Auditor: Sendable {
  private let policy: AuditPolicy
  private let sink: any AuditSink
  private let metrics: ServerMetrics
  let clock: any TimeSource

  package init(policy: AuditPolicy, sink: any AuditSink, metrics: ServerMetrics, clock: any TimeSource = SystemClock()) {
    self.policy = policy
    self.sink = sink
    self.metrics = metrics
    self.clock = clock
  }

  /// nil when the policy does not want the request. - Parameter user: nil when nobody was authenticated.
  func trail(_ request: HTTPRequest, _ info: RequestInfo, user: UserInfo?, auditID: String, received: Timestamp) -> AuditTrail? {
    let decision = policy.decision(user, info)
    metrics.auditLevels.add(at: decision.level.index)
    guard decision.level > .none else { return nil }
    return AuditTrail(self, decision, request, info, user: user, auditID: auditID, received: received)
  }

  func write(_ line: [UInt8]) async {
    metrics.auditEvents.add()
    await sink.write(line)
  }

  func writeNow(_ line: [UInt8]) {
    metrics.auditEvents.add()
    sink.writeNow(line)
  }
}
