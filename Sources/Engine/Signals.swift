internal import Dispatch
internal import Foundation

/// SIGTERM and SIGINT as something to wait for.
struct Signals {
  private let stream: AsyncStream<Int32>
  private let sources: [any DispatchSourceSignal]

  init() {
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
    self.stream = stream
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(number) }
      source.resume()
      return source
    }
  }

  /// Returns at the first of them.
  func first() async {
    for await _ in stream { break }
    withExtendedLifetime(sources) {}
  }
}
