@preconcurrency import Dispatch
import Foundation

/// Waits for SIGTERM or SIGINT.
enum Signals {
  static func untilTermination() async {
    let stream = AsyncStream<Void> { continuation in
      nonisolated(unsafe) let sources = [SIGTERM, SIGINT].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { continuation.yield() }
        source.resume()
        return source
      }
      continuation.onTermination = { _ in for source in sources { source.cancel() } }
    }
    for await _ in stream { return }
  }
}
