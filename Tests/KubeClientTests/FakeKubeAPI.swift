import JSON
import KubeClient
import KubeWire
import Synchronization

/// Plays answers in order, and remembers what was asked.
final class FakeKubeAPI: KubeAPI {
  enum Play: Sendable {
    case answer(String)
    case refusal(StatusError)
    case failure(KubeError)
    /// A watch: the events, then its end or an error.
    case events([KubeEvent], KubeError? = nil)
  }

  private let state: Mutex<(plays: [Play], asked: [String])>
  /// Called when there is nothing left to play; what was asked then is not answered.
  private let onEnd: (@Sendable () -> Void)?

  init(_ plays: [Play], onEnd: (@Sendable () -> Void)? = nil) {
    state = Mutex((plays, []))
    self.onEnd = onEnd
  }

  var asked: [String] { state.withLock { $0.asked } }

  private func next(_ text: String) -> Play? {
    let play = state.withLock { state -> Play? in
      state.asked.append(text)
      return state.plays.isEmpty ? nil : state.plays.removeFirst()
    }
    if play == nil { onEnd?() }
    return play
  }

  private func nothingLeft() async -> KubeError {
    if onEnd != nil { while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) } }
    return .unreachable("nothing left to play")
  }

  func send(_ request: KubeRequest) async throws(KubeError) -> KubeAnswer {
    let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    switch next("\(request.method) \(request.path)\(query.isEmpty ? "" : "?")\(query)") {
    case .answer(let text): return KubeAnswer(code: 200, body: (try? JSONValue(parsing: text)) ?? .null)
    case .refusal(let error): throw .status(error)
    case .failure(let error): throw error
    default: throw await nothingLeft()
    }
  }

  func watch(_ path: String, query: [(name: String, value: String)]) async throws(KubeError) -> AsyncThrowingStream<KubeEvent, any Error> {
    let version = query.first { $0.name == "resourceVersion" }?.value ?? ""
    switch next("WATCH \(path) from \(version)") {
    case .events(let events, let error):
      return AsyncThrowingStream { continuation in
        for event in events { continuation.yield(event) }
        continuation.finish(throwing: error)
      }
    case .refusal(let error): throw .status(error)
    case .failure(let error): throw error
    default: throw await nothingLeft()
    }
  }
}
