import AdapterKit
import DeclarativeAdapter
import JSON
import OrderedCollections
import Synchronization

/// Answers requests from a closure and keeps what was asked.
final class StubTransport: HTTPTransport {
  typealias Handler = @Sendable (TransportRequest) async throws(TransportError) -> TransportResponse

  private let handler: Handler
  private let seen = Mutex<[TransportRequest]>([])

  init(_ handler: @escaping Handler) { self.handler = handler }

  /// Answers in order; one more request is an error.
  convenience init(_ answers: [TransportResponse]) {
    let left = Box(answers)
    self.init { (request: TransportRequest) async throws(TransportError) -> TransportResponse in
      guard let next = left.next() else {
        throw TransportError(.invalidRequest, "unexpected \(request.method) \(request.url)", mayHaveBeenSent: false)
      }
      return next
    }
  }

  var requests: [TransportRequest] { seen.withLock { $0 } }
  /// `GET /path?query`
  var lines: [String] { requests.map { "\($0.method) \($0.url.dropFirst("http://e.test".count))" } }

  func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
    seen.withLock { $0.append(request) }
    return try await handler(request)
  }

  func stream(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
    let response = try await send(request)
    let pieces = Box(response.body.map { [$0] })
    return TransportStream(
      status: response.status, headers: response.headers, next: { () async throws(TransportError) in pieces.next() }, cancel: {})
  }
}

final class Box<Value: Sendable>: Sendable {
  private let values: Mutex<[Value]>
  init(_ values: [Value]) { self.values = Mutex(values) }
  func next() -> Value? { values.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
}

extension TransportResponse {
  static func json(_ value: JSONValue, status: Int = 200, _ headers: [(name: String, value: String)] = []) -> TransportResponse {
    TransportResponse(status: status, headers: headers, body: value.encoded)
  }
}

extension TransportRequest {
  func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
  var json: JSONValue? { body.flatMap { try? JSONValue(parsing: $0) } }
}

/// A moment that tests move by hand; sleeping moves it at once.
final class TestClock: Sendable {
  private let time: Mutex<Timestamp>
  private let slept = Mutex(0)
  init(_ start: Timestamp = Timestamp("2026-11-22T19:00:00Z")!) { time = Mutex(start) }
  func advance(_ by: Duration) { time.withLock { $0 = $0 + by } }
  var sleeps: Int { slept.withLock { $0 } }

  var clock: AdapterClock {
    AdapterClock(
      now: { self.time.withLock { $0 } },
      sleep: { duration in
        try Task.checkCancellation()
        self.slept.withLock { $0 += 1 }
        self.advance(duration)
      })
  }
}

/// A small adapter file; `more` replaces whole top-level members.
func miniature(_ more: String = "") -> String {
  let base: [(String, String)] = [
    ("format", "format: 1"), ("name", "name: mini"), ("version", "version: 1.2.3"), ("engine", "engine: Mini CI"),
    ("health", "health:\n  request: GET /health"),
    (
      "runs",
      """
      runs:
        states: {new: Pending, run: Running, ok: Succeeded, bad: Failed, stopped: {phase: Failed, reason: Cancelled}}
        map: &map
          id: ${row.id}
          identity: ${["job", row.id]}
          attempt:
            number: ${row.try}
          state: ${row.state}
          envelope: ${row.?env}
        submit:
          template:
            request: POST /jobs
            body: {name: "${submission.key}", template: "${submission.template}", env: "${submission.envelope}"}
            run: ${response.body}
        get:
          request: GET /jobs/${key.id}
          run: ${response.body}
        find:
          request: GET /jobs
          query: {name: "${submissionKey}"}
          run: ${response.body.items[?0]}
        list:
          request: GET /jobs
          query: {offset: "${page.offset}", limit: "${page.size}"}
          rows: ${response.body.items}
          page: {by: offset, size: 2}
        cancel:
          request: POST /jobs/${key.id}/cancel
          body: {reason: "${reason}"}
          run: ${response.body}
        delete:
          request: DELETE /jobs/${key.id}
      """
    ),
  ]
  // A member begins at a line that starts with a letter.
  let replaced = Set(more.split(separator: "\n").filter { $0.first?.isLetter == true }.map { String($0.prefix { $0 != ":" }) })
  return (base.filter { !replaced.contains($0.0) }.map(\.1) + [more]).joined(separator: "\n")
}

func adapter(
  _ text: String, _ transport: any HTTPTransport, settings: JSONValue = .emptyObject, credentials: [String: String] = [:],
  clock: AdapterClock = TestClock().clock
) throws -> DeclarativeAdapter {
  try DeclarativeAdapterFactory.make(
    try AdapterFile.parse(text, file: "mini.yaml"), context(transport, settings, credentials), clock: clock)
}

func context(_ transport: any HTTPTransport, _ settings: JSONValue = .emptyObject, _ credentials: [String: String] = [:]) -> BackendContext
{
  BackendContext(
    name: "mini", url: "http://e.test/", settings: settings, transport: transport,
    credential: { (name: String) throws(AdapterError) in
      guard let value = credentials[name] else { throw AdapterError(.unauthenticated, "no credential \(name)") }
      return value
    })
}

let submission = Submission(
  key: "ns.name", uid: "u1", template: "build", parameters: [:], steps: [], timeout: nil, schedule: nil, suspended: false,
  envelope: ["uid": "u1"], requestedBy: "jane", scope: AdapterScope())

func job(_ id: String, _ state: String = "run", _ more: JSONObject = [:]) -> JSONValue {
  let own: JSONObject = ["id": .string(id), "state": .string(state), "try": 1]
  return .object(own.merging(more) { $1 })
}
