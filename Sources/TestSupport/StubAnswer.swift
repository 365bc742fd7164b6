/// What the stub engine does with one request.
package struct StubAnswer: Sendable {
  enum Body: Sendable {
    case whole([UInt8])
    /// Sent chunked, one after another as the closure gives them; nil at the end. Called on the connection's own thread, so it may block.
    case chunks(@Sendable (Int) -> [UInt8]?)
    /// Written to the connection as they are, in place of an HTTP answer; then the connection is closed.
    case raw([UInt8])
    case closed
    /// No answer until the stub is stopped or the client goes.
    case silence
  }

  package var status: Int
  package var headers: [(name: String, value: String)]
  var body: Body
  /// Says `Connection: close` and closes after the answer.
  package var closes = false
  /// Runs before anything is written, on the connection's own thread; it may block.
  package var before: (@Sendable () -> Void)?

  init(status: Int, headers: [(name: String, value: String)] = [], body: Body) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package init(_ status: Int = 200, headers: [(name: String, value: String)] = [], text: String = "") {
    self.init(status: status, headers: headers, body: .whole(Array(text.utf8)))
  }

  package init(_ status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8]) {
    self.init(status: status, headers: headers, body: .whole(body))
  }

  package static func json(_ status: Int = 200, _ text: String, headers: [(name: String, value: String)] = []) -> StubAnswer {
    StubAnswer(status, headers: [("Content-Type", "application/json")] + headers, text: text)
  }

  /// Chunked; see ``Body/chunks(_:)``. The closure gets 0, 1, 2 …
  package static func chunks(
    _ status: Int = 200, headers: [(name: String, value: String)] = [], _ next: @escaping @Sendable (Int) -> [UInt8]?
  ) -> StubAnswer {
    StubAnswer(status: status, headers: headers, body: .chunks(next))
  }

  /// The request was read, and the connection ends without a byte of answer.
  package static let closed = StubAnswer(status: 0, body: .closed)
  package static let silence = StubAnswer(status: 0, body: .silence)
  package static func raw(_ text: String) -> StubAnswer { StubAnswer(status: 0, body: .raw(Array(text.utf8))) }

  /// The same answer with more headers.
  package func with(_ name: String, _ value: String) -> StubAnswer {
    var answer = self
    answer.headers.append((name, value))
    return answer
  }
}
