import AdapterKit
import HTTPMessage
import InMemoryAdapter
import JSON
import KubeWire
import Logging
import OrderedCollections
import Translation

@testable import APIServer

/// The whole gateway in process, on the in-memory engine: namespace `default` may do everything, `watched` only looks.
struct TestServer {
  let engine: InMemoryAdapter
  let gateway: Gateway
  let responder: APIServerResponder

  private static var options: InMemoryOptions {
    var options = InMemoryOptions()
    options.templates = [
      EngineTemplate(
        name: "nightly", description: "Builds everything.",
        parametersSchema: ["type": "object", "properties": ["seconds": ["type": "integer"]]])
    ]
    return options
  }

  init(
    authenticator: any Authenticator = StandardAuthenticator(), authorizer: any Authorizer = AlwaysAllow(),
    configuration: APIServerConfiguration = APIServerConfiguration(), metrics: ServerMetrics = ServerMetrics(), auditor: Auditor? = nil,
    admission: any Admitting = AdmitAll(), namespaces: any NamespaceDirectory = AllNamespaces(),
    policy: BindingInfo.DeletionPolicy = .delete, requiresUse: Bool = false,
    engine change: (inout InMemoryOptions) -> Void = { _ in }, onLeavingFailure: @escaping LeavingFailure = { _, _, _ in }
  ) {
    var options = Self.options
    change(&options)
    engine = InMemoryAdapter(options: options) { SystemClock().now }
    let infos = [("default", BindingInfo.Access.manage, true), ("watched", .observe, false)].map { namespace, access, inline in
      BindingInfo(
        name: "memory-\(namespace)", backend: "memory", namespace: namespace, scope: AdapterScope(["project": .string(namespace)]),
        access: access,
        deletionPolicy: policy, inlineSteps: inline, requiresUse: requiresUse)
    }
    let projector = Projector(group: Samples.group.name, bindings: infos, signingKeys: [[UInt8](repeating: 7, count: 32)])
    let settings = infos.map { info in
      BindingSettings(
        id: BindingID(info.name), namespaces: [info.namespace], window: .seconds(7 * 86_400), readsOverlaysApart: false, hasTemplates: true)
    }
    let clock = SystemClock()
    let store = SharedStore(
      RunStore(
        objects: ObjectStore(settings: .init(apiVersion: Samples.group.apiVersion), epoch: 7, now: clock.now), bindings: settings,
        projection: projector))
    let engine = engine
    let bounds = zip(infos, settings).map { info, settings in
      Bound(
        info: info, adapter: engine,
        driver: BindingDriver(
          binding: settings, adapter: engine, scope: info.scope, settings: ReconcilerSettings(pollInterval: .milliseconds(100)),
          store: store))
    }
    gateway = Gateway(
      group: Samples.group.name, store: store, projector: projector, bindings: bounds, clock: clock, admission: admission,
      namespaces: namespaces, backendUse: BackendUseReview(authorizer, group: Samples.group.name),
      onLeavingFailure: onLeavingFailure)
    responder = APIServerResponder(
      gateway: gateway, configuration: configuration, authenticator: authenticator, authorizer: authorizer, metrics: metrics,
      auditor: auditor, logger: Logger(label: "test"))
  }

  /// Runs the gateway for as long as `body` takes, from the moment on when everything was read once.
  static func run(authorizer: any Authorizer = AlwaysAllow(), _ body: @escaping @Sendable (TestServer) async throws -> Void) async throws {
    try await TestServer(authorizer: authorizer).run(body)
  }

  func run(_ body: @escaping @Sendable (TestServer) async throws -> Void) async throws {
    let server = self
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await server.gateway.run() }
      defer { group.cancelAll() }
      for _ in 0..<12_000 {
        if await server.get("/workflows").status == 200, await server.get("/workflowtemplates").json["items"]?.array?.isEmpty == false {
          break
        }
        try await Task.sleep(for: .milliseconds(10))
      }
      try await body(server)
    }
  }

  struct Answer: Sendable {
    let response: HTTPResponse
    var status: Int { response.status }
    var bytes: [UInt8] { if case .bytes(let bytes) = response.body { bytes } else { [] } }
    var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
    var message: String { json["message"]?.string ?? "" }
    var warnings: [String] { response.headers.all("Warning") }
  }

  static let base = "/apis/workflow.example.com/v1alpha1"

  func send(
    _ method: String, _ path: String, query: String = "", headers: HTTPHeaders = [:], body: [UInt8] = []
  ) async -> Answer {
    let path = path.hasPrefix("/workflow") || path.hasPrefix("/namespaces") ? Self.base + path : path
    return Answer(
      response: await responder.respond(to: HTTPRequest(method: method, path: path, query: query, headers: headers, body: body)))
  }

  func get(_ path: String, query: String = "", accept: String? = nil) async -> Answer {
    await send("GET", path, query: query, headers: accept.map { ["Accept": $0] } ?? [:])
  }

  func post(_ path: String, _ text: String, query: String = "", type: String? = "application/json") async -> Answer {
    await send("POST", path, query: query, headers: type.map { ["Content-Type": $0] } ?? [:], body: Array(text.utf8))
  }

  /// Submits one and reads it: the engine tells more of a run than it did at once.
  func make(_ name: String) async -> JSONValue {
    _ = await post("/namespaces/default/workflows", Self.manifest(name))
    return await get("/namespaces/default/workflows/" + name).json
  }

  func put(_ path: String, _ object: JSONValue, query: String = "") async -> Answer {
    await send("PUT", path, query: query, headers: ["Content-Type": "application/json"], body: object.encoded)
  }

  enum PatchType: String {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case apply = "application/apply-patch+yaml"
  }

  func patch(_ path: String, _ type: PatchType, _ text: String, query: String = "") async -> Answer {
    await send("PATCH", path, query: query, headers: ["Content-Type": type.rawValue], body: Array(text.utf8))
  }

  /// Asks until the answer is as wanted, or for two minutes.
  func poll(_ path: String, until isRight: (Answer) -> Bool) async throws -> Answer {
    var answer = await get(path)
    for _ in 0..<6_000 where !isRight(answer) {
      try await Task.sleep(for: .milliseconds(20))
      answer = await get(path)
    }
    return answer
  }

  static func manifest(_ name: String, spec: String = #"{"steps":[{"name":"build","command":["true"]}]}"#, more: String = "") -> String {
    #"{"apiVersion":"workflow.example.com/v1alpha1","kind":"Workflow","metadata":{"name":"\#(name)","labels":{"team":"build"}},"spec":\#(spec)\#(more)}"#
  }
}

/// Reads a watch's lines.
final class WatchReader {
  private let stream: any HTTPBodyStream
  private var wakes: AsyncStream<Void>.Iterator
  private var lines: [String] = []

  init(_ stream: any HTTPBodyStream) {
    self.stream = stream
    let (wakes, signal) = AsyncStream.makeStream(of: Void.self)
    self.wakes = wakes.makeAsyncIterator()
    stream.start { signal.yield() }
    signal.yield()
  }

  /// The next event; nil at the end.
  func next() async throws -> JSONValue? {
    while true {
      if !lines.isEmpty { return try JSONValue(parsing: lines.removeFirst()) }
      switch stream.next() {
      case .bytes(let bytes): lines += bytes.text.split(separator: "\n").map(String.init)
      case .wait: await wakes.next()
      case .end, .abort: return nil
      }
    }
  }

  func cancel() { stream.cancel() }
}
