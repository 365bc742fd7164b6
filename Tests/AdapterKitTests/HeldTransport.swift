import AdapterKit
import Synchronization

/// A transport whose requests end when a test says so.
final class HeldTransport: HTTPTransport {
  private struct State {
    var started: [String] = []
    var held: [(url: String, continuation: CheckedContinuation<Void, Never>)] = []
    var most = 0
    var isHolding: Bool
  }

  private let state: Mutex<State>

  /// - Parameter holding: false answers at once.
  init(holding: Bool = true) { state = Mutex(State(isHolding: holding)) }

  /// URLs in the order in which they came.
  var started: [String] { state.withLock { $0.started } }
  var inProgress: Int { state.withLock { $0.held.count } }
  /// Requests that were in progress at the same time.
  var most: Int { state.withLock { $0.most } }

  func release(_ url: String) {
    let continuation = state.withLock { state in
      state.held.firstIndex { $0.url == url }.map { state.held.remove(at: $0).continuation }
    }
    continuation?.resume()
  }

  private func hold(_ url: String) async {
    await withCheckedContinuation { continuation in
      let goes = state.withLock { state in
        state.started.append(url)
        guard state.isHolding else { return true }
        state.held.append((url, continuation))
        state.most = max(state.most, state.held.count)
        return false
      }
      if goes { continuation.resume() }
    }
  }

  func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
    await hold(request.url)
    if request.method == "FAIL" { throw TransportError(.broken, "as asked", mayHaveBeenSent: true) }
    return TransportResponse(status: 200)
  }

  func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
    await hold(request.url)
    return TransportStream(status: 200, headers: [], next: { () throws(TransportError) in nil }, cancel: {})
  }
}
