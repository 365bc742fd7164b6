import Delegation
import JSON
import KubeClient
import KubeWire
import Logging
import Synchronization

/// A cluster that answers reviews by a closure, and remembers them.
final class FakeCluster: KubeAPI {
  private let state = Mutex<[KubeRequest]>([])
  private let answer: @Sendable (KubeRequest) async throws -> JSONValue

  init(_ answer: @escaping @Sendable (KubeRequest) async throws -> JSONValue) { self.answer = answer }

  var requests: [KubeRequest] { state.withLock { $0 } }
  var specs: [String] { requests.compactMap { $0.body?["spec"]?.text } }

  func send(_ request: KubeRequest) async throws(KubeError) -> KubeAnswer {
    state.withLock { $0.append(request) }
    do {
      return KubeAnswer(code: 201, body: try await answer(request))
    } catch let error as KubeError {
      throw error
    } catch {
      throw .unreachable("\(error)")
    }
  }

  func watch(_ path: String, query: [(name: String, value: String)]) async throws(KubeError) -> AsyncThrowingStream<KubeEvent, any Error> {
    throw .unreachable("no watches here")
  }
}

/// Time that only moves when told, and waits that end at once.
final class FakeTime: Sendable {
  private let time = Mutex(ContinuousClock.now)
  private let waits = Mutex(0)
  var waited: Int { waits.withLock { $0 } }

  func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }

  var surroundings: Surroundings {
    Surroundings(
      retries: RetryPolicy(sleep: { _ in self.waits.withLock { $0 += 1 } }, random: { 0 }), now: { self.time.withLock { $0 } })
  }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Keeps what is logged, to look for what must not be there.
struct RecordingLog: LogHandler {
  let lines: RecordedLines
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    lines.all.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
  }
}

final class RecordedLines: Sendable {
  let all = Mutex<[String]>([])
  var text: String { all.withLock { $0.joined(separator: "\n") } }
}
