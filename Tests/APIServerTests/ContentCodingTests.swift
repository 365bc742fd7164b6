import Dispatch
import HTTPMessage
import JSON
import KubeWire
import OrderedCollections
import Synchronization
import Testing
import YAMLText

@testable import APIServer

@Suite(.timeLimit(.minutes(10))) struct ContentCodingTests {
  /// Runs one job after the other, in their order.
  private final class OneThread: TaskExecutor {
    private let queue = DispatchQueue(label: "one thread")

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }

  private final class Flag: Sendable {
    let isSet = Atomic(false)
  }

  enum Form: String, CaseIterable, Sendable { case yaml, pretty, gzip }

  private static func coding(_ form: Form) -> ContentCoding {
    var coding = ContentCoding(
      HTTPRequest(method: "GET", path: "/", headers: form == .gzip ? ["Accept-Encoding": "gzip"] : [:]),
      form == .pretty ? ["pretty": "true"] : [:])
    if form == .yaml { coding.mediaType = .yaml }
    return coding
  }

  private static let long = HTTPResponse.json(
    JSONValue.object(["items": .array((0..<10_000).map { ["name": .string("run-\($0)"), "text": "a: b", "lines": "one\ntwo\n"] })]).encoded)

  @Test("while a long answer is coded, others get their turn on the same thread", arguments: Form.allCases)
  func turns(form: Form) async {
    let other = Flag()
    let thread = OneThread()
    let (coded, hadTurn) = await Task(executorPreference: thread) {
      // Waits behind this task until it makes room.
      let task = Task(executorPreference: thread) { other.isSet.store(true, ordering: .relaxed) }
      let coded = await Self.coding(form).coded(Self.long)
      let hadTurn = other.isSet.load(ordering: .relaxed)
      await task.value
      return (coded, hadTurn)
    }.value
    #expect(coded.status == 200 && hadTurn && Self.coding(form).takesTime(Self.long))
  }

  @Test("when nobody waits any more, it is left", arguments: Form.allCases)
  func cancelled(form: Form) async {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await Self.coding(form).coded(Self.long)
    }
    #expect(await task.value.status == 504)
  }

  @Test("what is done in pieces is what is done at once") func pieces() async throws {
    guard case .bytes(let json) = Self.long.body, case .bytes(let yaml) = await Self.coding(.yaml).coded(Self.long).body,
      case .bytes(let pretty) = await Self.coding(.pretty).coded(Self.long).body
    else { throw StatusError.internalError("no bytes") }
    #expect(yaml.text == YAMLText.text(try JSONValue(parsing: json)))
    await Task.yield()
    #expect(pretty == JSONPretty.print(json) + [0x0A])
    await Task.yield()
    #expect(try JSONValue(parsing: pretty) == JSONValue(parsing: json))
  }

  @Test("short answers, streams and what has another type take no time") func short() {
    #expect(!Self.coding(.yaml).takesTime(.json(Array("{}".utf8))))
    #expect(!Self.coding(.gzip).takesTime(.json([UInt8](repeating: 0x20, count: 100_000))))
    #expect(!Self.coding(.yaml).takesTime(.text(String(repeating: "x", count: 100_000))))
    #expect(!Self.coding(.pretty).takesTime(HTTPResponse(status: 200, body: .stream(WatchLine([])))))
  }

  private static let collection = "/namespaces/default/workflows"

  /// Ten objects of 200 kB, told from memory: nothing but the coding takes time.
  private static func withLongList(
    _ configuration: APIServerConfiguration = APIServerConfiguration(), _ body: @escaping @Sendable (TestServer) async throws -> Void
  ) async throws {
    try await TestServer(configuration: configuration).run { server in
      for number in 0..<10 {
        let manifest =
          #"{"metadata":{"name":"a\#(number)","annotations":{"pad":"\#(String(repeating: "x ", count: 100_000))"}},"spec":{"steps":[{"name":"s","command":["true"]}]}}"#
        let made = await server.post(collection, manifest)
        #expect(made.status == 201, "\(made.message)")
      }
      try await body(server)
    }
  }

  @Test("E1, U4: a list that is coded has its place until then, and its deadline") func limits() async throws {
    var configuration = APIServerConfiguration()
    configuration.maximumRequestsInFlight = 1
    try await Self.withLongList(configuration) { server in
      let late = await server.get(Self.collection, query: "resourceVersion=0&timeout=1ms", accept: "application/yaml")
      #expect(late.status == 504 && late.json["reason"] == "Timeout")
      // It is left at its next piece, and its place with it.
      while await server.get(Self.collection + "/a0").status == 429 { await Task.yield() }
      let codes = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<8 {
          group.addTask { await server.get(Self.collection, query: "resourceVersion=0", accept: "application/yaml").status }
        }
        return await group.reduce(into: Set<Int>()) { $0.insert($1) }
      }
      #expect(codes == [200, 429])
    }
  }
}
