package import JSON
package import KubeWire
internal import OrderedCollections
internal import Synchronization

/// One request on its way through the verbs: who asks, until when, the warnings that go out with the answer and what audit is to know.
package final class RequestContext: Sendable {
  package let user: UserInfo
  package let now: Timestamp
  package let deadline: Timestamp
  private let collected = Mutex<OrderedSet<String>>([])
  private let noted = Mutex<[String: String]>([:])
  private let touched = Mutex<[String: OrderedSet<String>]>([:])
  private let awaited = Mutex<String?>(nil)

  package init(user: UserInfo, now: Timestamp, deadline: Timestamp) {
    self.user = user
    self.now = now
    self.deadline = deadline
  }

  /// A write that has not begun when its time is up does not begin: its client was told so already, and may try again.
  package func checkDeadline(_ now: Timestamp) throws(StatusError) {
    guard now >= deadline else { return }
    throw .timeout("the request's time was over before anything was written")
  }

  /// What the client is told if its time is up from now on, such as which engine has not answered; nil takes it back.
  package var waitsFor: String? {
    get { awaited.withLock { $0 } }
    set { awaited.withLock { $0 = newValue } }
  }

  /// Adds one `Warning: 299 - "…"` header (kubernetes-wire C3); the same text is sent once.
  package func warn(_ text: String) { collected.withLock { _ = $0.append(text) } }

  /// Adds an annotation to the request's audit events, such as which backend was used; the first value of a key stays.
  package func note(_ key: String, _ value: String) { noted.withLock { if $0[key] == nil { $0[key] = value } } }

  /// As ``note(_:_:)``, for what one request may touch many of: the values in their order, each once, with commas between.
  package func noteAlso(_ key: String, _ value: String) {
    touched.withLock { if !($0[key]?.contains(value) ?? false) { $0[key, default: []].append(value) } }
  }

  /// What is listed of one key; the rest is counted.
  private static let maximumValues = 200

  package var auditAnnotations: [String: String] {
    let lists = touched.withLock { $0 }.mapValues { values in
      let listed = values.prefix(Self.maximumValues).joined(separator: ",")
      return values.count <= Self.maximumValues ? listed : "\(listed) and \(values.count - Self.maximumValues) more"
    }
    return noted.withLock { $0 }.merging(lists) { first, _ in first }
  }

  package var warnings: [String] { collected.withLock { $0.elements } }
}
