package import AdapterKit

/// What a live read has come to.
package enum RefreshOutcome: Sendable, Hashable {
  /// What the store has is from a call that began after the request, or shortly before it.
  case fresh
  /// The engine does not know the run. That alone does not prove that it was deleted.
  case gone
  /// It takes longer than the reader may wait.
  case late
  case failed(AdapterError)

  /// For people: why the answer is not what the engine just said.
  package func text(backend: String, engine: String) -> String {
    switch self {
    case .fresh: "backend \"\(backend)\" (\(engine)) has answered"
    case .gone: "backend \"\(backend)\" (\(engine)) does not find the run at the moment"
    case .late: "backend \"\(backend)\" (\(engine)) takes long to answer"
    case .failed(let error): "backend \"\(backend)\" (\(engine)) cannot be read: \(error.message)"
    }
  }
}
