package import HTTPMessage
package import KubeWire
package import Translation

/// Finds out who asks.
package protocol Authenticator: Sendable {
  /// - Returns: nil when the request has no credential that this authenticator knows.
  /// - Throws: 401 when it has one and it is wrong.
  func authenticate(_ request: HTTPRequest) async throws(StatusError) -> UserInfo?
}
