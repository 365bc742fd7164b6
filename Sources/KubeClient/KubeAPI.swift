package import JSON
package import KubeWire

/// The cluster's API, as far as the gateway calls it. Tests put their own in its place.
package protocol KubeAPI: Sendable {
  /// Sends one request and returns the answer of a success (2xx).
  ///
  /// - Throws: ``KubeError/status(_:)`` for any other answer, `.unreachable` when there is no whole answer.
  func send(_ request: KubeRequest) async throws(KubeError) -> KubeAnswer

  /// Opens a watch. The stream ends when the server ends it and throws ``KubeError`` when it breaks; an ERROR event is thrown as `.status`.
  func watch(_ path: String, query: [(name: String, value: String)]) async throws(KubeError) -> AsyncThrowingStream<KubeEvent, any Error>
}

package struct KubeRequest: Sendable {
  package var method: String
  /// Begins with a slash, already encoded: `/api/v1/namespaces/default`.
  package var path: String
  package var query: [(name: String, value: String)]
  package var body: JSONValue?
  package var contentType: String
  /// From the call to the last byte of the answer; 10 s unless told.
  package var timeout: Duration

  package init(
    _ method: String, _ path: String, query: [(name: String, value: String)] = [], body: JSONValue? = nil,
    contentType: String = "application/json", timeout: Duration = .seconds(10)
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.contentType = contentType
    self.timeout = timeout
  }
}

package struct KubeAnswer: Sendable {
  package var code: Int
  package var body: JSONValue

  package init(code: Int, body: JSONValue) {
    self.code = code
    self.body = body
  }
}

/// One event of a watch.
package struct KubeEvent: Sendable {
  package enum Kind: String, Sendable { case added = "ADDED", modified = "MODIFIED", deleted = "DELETED", bookmark = "BOOKMARK" }

  package var kind: Kind
  package var object: JSONValue

  package init(_ kind: Kind, _ object: JSONValue) {
    self.kind = kind
    self.object = object
  }
}

/// Why the cluster gave no success. Never holds a token, a header or a body that was sent.
package enum KubeError: Error, Sendable, CustomStringConvertible {
  /// The cluster's refusal, with its Retry-After.
  case status(StatusError)
  /// No whole answer: name, connection, TLS, time. The text says what and where.
  case unreachable(String)
  /// An answer that is not what the API says.
  case malformed(String)

  package var description: String {
    switch self {
    case .status(let error): "\(error)"
    case .unreachable(let text), .malformed(let text): text
    }
  }
}
