package import JSON
internal import Synchronization

/// One request on its way through the verbs: who asks, until when, the warnings that go out with the answer and what audit is to know.
package final class RequestContext: Sendable {
  package let user: UserInfo
  package let now: Timestamp
  package let deadline: Timestamp
  private let collected = Mutex<[String]>([])
  private let noted = Mutex<[String: String]>([:])

  package init(user: UserInfo, now: Timestamp, deadline: Timestamp) {
    self.user = user
    self.now = now
    self.deadline = deadline
  }

  /// Adds one `Warning: 299 - "…"` header (kubernetes-wire C3); the same text is sent once.
  package func warn(_ text: String) { collected.withLock { if !$0.contains(text) { $0.append(text) } } }

  /// Adds an annotation to the request's audit events, such as which run of which engine was touched; the first value of a key stays.
  package func note(_ key: String, _ value: String) { noted.withLock { if $0[key] == nil { $0[key] = value } } }

  package var auditAnnotations: [String: String] { noted.withLock { $0 } }

  package var warnings: [String] { collected.withLock { $0 } }
}
