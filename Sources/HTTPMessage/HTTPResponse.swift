/// One answer. `Content-Length` or the chunked coding is the server's business.
package struct HTTPResponse: Sendable {
  package enum Body: Sendable {
    case bytes([UInt8])
    /// The head goes out at once; then the stream is asked for bytes until it ends.
    case stream(any HTTPBodyStream)
  }

  package var status: Int
  package var headers: HTTPHeaders
  package var body: Body

  package init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: Body = .bytes([])) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// A body that is produced piece by piece, such as a watch. It owns no task and no queue: the server asks it for more whenever it was
/// woken and the peer can take more, always on one and the same thread, and never again after `.end` or `cancel()`.
package protocol HTTPBodyStream: AnyObject, Sendable {
  /// Called once, before anything else. `wake` may be called from any thread, any number of times; it is cheap.
  func start(wake: @escaping @Sendable () -> Void)
  /// What to do next. Called again at once after `.bytes` while the peer takes more.
  func next() -> HTTPBodyStep
  /// The peer is gone, or the server ends: free everything. Not called after `.end`.
  func cancel()
  /// The server is shutting down and wants the body to end cleanly: `next` should soon answer `.end`. The server then calls `next` itself.
  func finish()
}

package enum HTTPBodyStep: Sendable {
  case bytes([UInt8])
  /// Nothing now: call `next` after `wake`, or after that time, whichever is first.
  case wait(Duration?)
  case end
  /// The body cannot be completed: break off, so that the peer does not take it for whole (h2: RST_STREAM; h1: close without the last chunk).
  case abort
}

/// Answers requests. The server calls it concurrently; cancelling the task means the peer has gone.
package protocol HTTPResponder: Sendable {
  func respond(to request: HTTPRequest) async -> HTTPResponse
}
