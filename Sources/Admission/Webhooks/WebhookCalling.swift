/// Sends one review to a webhook. Implemented over libcurl by ``CurlWebhookCaller``; tests put their own in its place.
package protocol WebhookCalling: Sendable {
  /// Sends the request exactly once, and never follows a redirect.
  ///
  /// - Throws: ``WebhookCallError`` when there is no whole answer.
  func call(_ call: WebhookCall) async throws(WebhookCallError) -> WebhookAnswer
}

package struct WebhookCall: Sendable {
  /// Absolute, https.
  package var url: String
  /// PEM certificates that the server's is checked against; empty for the system's.
  package var caBundle: [UInt8]
  package var body: [UInt8]
  /// From the call to the last byte of the answer.
  package var timeout: Duration
}

package struct WebhookAnswer: Sendable {
  package var code: Int
  package var body: [UInt8]

  package init(code: Int, body: [UInt8]) {
    self.code = code
    self.body = body
  }
}

/// Why there is no answer: name, connection, TLS, time. Never holds what was sent.
package struct WebhookCallError: Error, Sendable {
  package var message: String

  package init(_ message: String) { self.message = message }
}
