internal import Synchronization

/// Knows the secrets that went into requests, and takes them out of texts.
package final class Redactor: Sendable {
  private let secrets = Mutex<Set<String>>([])

  package init() {}

  /// Very short texts are not remembered: taking them out would garble messages and hide nothing.
  func remember(_ secret: String) {
    guard secret.utf8.count >= 4 else { return }
    secrets.withLock { secrets in
      if secrets.count > 64 { secrets.removeAll() }
      secrets.insert(secret)
    }
  }

  package func redact(_ text: String) -> String {
    var text = text
    for secret in secrets.withLock({ $0 }).sorted(by: { $0.utf8.count > $1.utf8.count }) {
      text = text.replacing(secret, with: "<redacted>")
    }
    return text
  }
}
