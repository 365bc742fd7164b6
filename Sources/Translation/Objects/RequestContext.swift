package import JSON
internal import Synchronization

/// One request on its way through the verbs: who asks, until when, and the warnings that go out with the answer.
package final class RequestContext: Sendable {
  package let user: UserInfo
  package let now: Timestamp
  package let deadline: Timestamp
  private let collected = Mutex<[String]>([])

  package init(user: UserInfo, now: Timestamp, deadline: Timestamp) {
    self.user = user
    self.now = now
    self.deadline = deadline
  }

  /// Adds one `Warning: 299 - "…"` header (kubernetes-wire C3); the same text is sent once.
  package func warn(_ text: String) { collected.withLock { if !$0.contains(text) { $0.append(text) } } }

  package var warnings: [String] { collected.withLock { $0 } }
}
