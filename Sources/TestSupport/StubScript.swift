import Synchronization

/// Answers in a fixed order, each for one expected request; a request that does not fit is answered with 599 and noted.
///
/// ```
/// let script = StubScript([.init("GET", "/api/builds?limit=10", .json("[]"))])
/// let engine = try StubEngine(answer: script.answer)
/// …
/// #expect(script.complaints == [])
/// ```
package final class StubScript: Sendable {
  package struct Exchange: Sendable {
    var method: String
    var target: String
    var answer: StubAnswer

    /// - Parameter target: path and query, exactly as sent.
    package init(_ method: String, _ target: String, _ answer: StubAnswer) {
      self.method = method
      self.target = target
      self.answer = answer
    }
  }

  private let state: Mutex<(left: [Exchange], complaints: [String])>

  package init(_ exchanges: [Exchange]) { state = Mutex((exchanges, [])) }

  package var answer: @Sendable (StubRequest) -> StubAnswer {
    { request in
      self.state.withLock { state in
        if let next = state.left.first, next.method == request.method, next.target == request.target {
          state.left.removeFirst()
          return next.answer
        }
        let expected = state.left.first.map { "\($0.method) \($0.target)" } ?? "nothing more"
        state.complaints.append("got \(request.method) \(request.target), expected \(expected)")
        return StubAnswer(599, text: "not in the script")
      }
    }
  }

  /// Requests that did not fit, and at the end of a test those that never came.
  package var complaints: [String] {
    state.withLock { $0.complaints + $0.left.map { "never came: \($0.method) \($0.target)" } }
  }
}
