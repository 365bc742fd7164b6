import JSON
import KubeClient
import KubeWire
import OrderedCollections
import Synchronization

/// A cluster in memory: lists, objects and watches by path. What is not there is 404.
final class FakeCluster: KubeAPI {
  private struct State {
    var lists: [String: [JSONValue]] = [:]
    var failures: [String: KubeError] = [:]
    /// Every answer is a 404 that says nothing.
    var isBlind = false
    var watchers: [String: [AsyncThrowingStream<KubeEvent, any Error>.Continuation]] = [:]
    var requests: [String] = []
    var bodies: [JSONValue] = []
    var version = 100
  }

  private let state = Mutex(State())
  /// Answers a SubjectAccessReview's spec.
  private let allows: @Sendable (JSONValue) -> Bool

  static let admission = "/apis/admissionregistration.k8s.io/v1"
  static let collections = [
    "/api/v1/namespaces", "/api/v1/resourcequotas", "\(admission)/mutatingwebhookconfigurations",
    "\(admission)/validatingwebhookconfigurations", "\(admission)/validatingadmissionpolicies",
    "\(admission)/validatingadmissionpolicybindings", "\(admission)/mutatingadmissionpolicies",
    "\(admission)/mutatingadmissionpolicybindings",
  ]

  /// - Parameter collections: those that are served; the namespace `team` is there, with the label `env: prod`.
  init(collections: [String] = FakeCluster.collections, allows: @escaping @Sendable (JSONValue) -> Bool = { _ in true }) {
    self.allows = allows
    state.withLock { state in for path in collections { state.lists[path] = [] } }
    if collections.contains("/api/v1/namespaces") { put("/api/v1/namespaces", Self.namespace("team", labels: ["env": "prod"])) }
  }

  static func namespace(_ name: String, labels: JSONValue = [:], phase: String = "Active") -> JSONValue {
    [
      "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name), "uid": "n-\(name)", "labels": labels],
      "spec": ["finalizers": ["kubernetes"]], "status": ["phase": .string(phase)],
    ]
  }

  /// Adds or replaces an object and tells the watches.
  func put(_ path: String, _ object: JSONValue) {
    let (watchers, event) = state.withLock { state in
      state.version += 1
      var object = object
      object["metadata"]?["resourceVersion"] = .string("\(state.version)")
      state.lists[path, default: []].removeAll { Self.name($0) == Self.name(object) && Self.space($0) == Self.space(object) }
      state.lists[path]!.append(object)
      return (state.watchers[path] ?? [], KubeEvent(.modified, object))
    }
    for watcher in watchers { watcher.yield(event) }
  }

  /// As behind a proxy that knows no path of the cluster; watches break.
  func blind(_ isBlind: Bool) {
    let watchers = state.withLock { state in
      state.isBlind = isBlind
      defer { state.watchers = [:] }
      return state.watchers.values.flatMap { $0 }
    }
    for watcher in watchers { watcher.finish(throwing: Self.blindAnswer) }
  }

  private static let blindAnswer = KubeError.status(
    StatusError(Status(code: 404, reason: "NotFound", message: "the server answered with status 404: 404 page not found")))

  func fail(_ path: String, _ error: KubeError?) { state.withLock { $0.failures[path] = error } }
  /// The path is served no more; its watches break.
  func drop(_ path: String) {
    let watchers = state.withLock { state in
      state.lists[path] = nil
      state.failures[path] = .status(.unknownPath)
      return state.watchers.removeValue(forKey: path) ?? []
    }
    for watcher in watchers { watcher.finish(throwing: KubeError.status(.unknownPath)) }
  }

  /// How many watches are open.
  var watched: Int { state.withLock { $0.watchers.count } }
  var requests: [String] { state.withLock { $0.requests } }
  var reviews: [JSONValue] { state.withLock { $0.bodies } }

  func send(_ request: KubeRequest) async throws(KubeError) -> KubeAnswer {
    let selector = request.query.first { $0.name == "labelSelector" }?.value
    let (failure, answer) = state.withLock { state -> (KubeError?, JSONValue?) in
      state.requests.append("\(request.method) \(request.path)" + (selector.map { "?labelSelector=\($0)" } ?? ""))
      if let body = request.body { state.bodies.append(body) }
      if state.isBlind { return (Self.blindAnswer, nil) }
      if let failure = state.failures[request.path] { return (failure, nil) }
      if request.method == "POST" { return (nil, ["status": ["allowed": .bool(allows(request.body?["spec"] ?? .null))]]) }
      if let items = state.lists[request.path] {
        let chosen = items.filter { item in
          guard let selector, let parsed = try? LabelSelector(parsing: selector) else { return true }
          var labels: [String: String] = [:]
          for (name, value) in item["metadata"]?["labels"]?.object ?? [:] { labels[name] = value.string }
          return parsed.matches(labels)
        }
        return (nil, ["metadata": ["resourceVersion": .string("\(state.version)")], "items": .array(chosen)])
      }
      let parts = request.path.split(separator: "/").map { String($0) }
      let parent = "/" + parts.dropLast().joined(separator: "/")
      if let found = state.lists[parent]?.first(where: { Self.name($0) == parts.last }) { return (nil, found) }
      if state.lists[parent] != nil { return (.status(.notFound(resource: "", group: "", name: parts.last ?? "")), nil) }
      return (nil, Self.discovery(request.path, state.lists.keys))
    }
    if let failure { throw failure }
    guard let answer else { throw .status(.unknownPath) }
    return KubeAnswer(code: 200, body: answer)
  }

  /// The documents of the admission group, after what is served.
  private static func discovery(_ path: String, _ served: some Sequence<String>) -> JSONValue? {
    let group = "/apis/admissionregistration.k8s.io"
    let places = served.filter { $0.hasPrefix(group) }.map { $0.split(separator: "/").map { String($0) } }
    if path == group {
      return ["kind": "APIGroup", "versions": .array(Set(places.map { $0[2] }).sorted().map { ["version": .string($0)] })]
    }
    let names = places.filter { path == "\(group)/\($0[2])" }.map { $0[3] }
    guard !names.isEmpty else { return nil }
    return ["kind": "APIResourceList", "resources": .array(names.map { ["name": .string($0)] })]
  }

  func watch(_ path: String, query: [(name: String, value: String)]) async throws(KubeError) -> AsyncThrowingStream<KubeEvent, any Error> {
    let (stream, continuation) = AsyncThrowingStream<KubeEvent, any Error>.makeStream()
    let failure = state.withLock { state in
      let failure = state.isBlind ? Self.blindAnswer : state.failures[path]
      if failure == nil { state.watchers[path, default: []].append(continuation) }
      return failure
    }
    if let failure { throw failure }
    return stream
  }

  private static func name(_ object: JSONValue) -> String { object["metadata"]?["name"]?.string ?? "" }
  private static func space(_ object: JSONValue) -> String { object["metadata"]?["namespace"]?.string ?? "" }
}
