package import JSON
package import KubeClient
package import KubeWire
package import Logging
package import Translation

/// The namespaces of the cluster: a watched copy, and a GET for what the copy does not have, as kube-apiserver's NamespaceLifecycle does it.
package final class ClusterNamespaces: NamespaceDirectory {
  private let api: any KubeAPI
  private let clock: any TimeSource
  private let logger: Logger
  let collection: Collection<JSONValue>

  /// ``run()`` keeps the copy; without it every question is a GET.
  package init(api: any KubeAPI, clock: any TimeSource, logger: Logger) {
    self.api = api
    self.clock = clock
    self.logger = logger
    collection = Collection("namespaces", paths: ["/api/v1/namespaces"], api: api, clock: clock, logger: logger) { object, _ in object }
  }

  package func run() async { await collection.run() }

  package func state(of namespace: String) async throws(StatusError) -> NamespaceState {
    guard let object = try await object(of: namespace) else { return .missing }
    return Self.state(object)
  }

  package func liveState(of namespace: String) async throws(StatusError) -> NamespaceState {
    guard let object = try await ask(namespace) else { return .missing }
    return Self.state(object)
  }

  private static func state(_ object: JSONValue) -> NamespaceState {
    object["status"]?["phase"] == "Terminating" || object["metadata"]?["deletionTimestamp"] != nil ? .terminating : .active
  }

  private static func created(_ object: JSONValue) -> Timestamp? {
    object["metadata"]?["creationTimestamp"]?.string.flatMap(Timestamp.init)
  }

  /// Shows and hides some namespaces as they come and go, until the task is cancelled.
  ///
  /// The watched copy says when there is something to do; what is done is what the cluster says when it is asked. A copy may lag or be wrong, and what
  /// is hidden is deleted for whoever watches: the garbage collector takes its dependents.
  ///
  /// - Parameters:
  ///   - isHidden: how it is now; the gateway also hides by itself, at a deletion of the collection in a namespace that is going.
  ///   - made: when a namespace was made that is there; again for another one of the same name, and then before it is shown.
  ///   - hide: not called before all namespaces were read once.
  package func follow(
    _ names: [String], isHidden: @Sendable (String) -> Bool, made: @Sendable (_ name: String, _ created: Timestamp) -> Void = { _, _ in },
    hide: @Sendable (_ name: String, _ isHidden: Bool, _ state: NamespaceState) -> Void
  ) async {
    var asked: [String: Timestamp] = [:]
    var told: [String: Timestamp] = [:]
    while !Task.isCancelled {
      for name in names where collection.isSynced {
        let known = collection.item(name: name)
        let state = known.map(Self.state) ?? .missing
        let isAnother = state == .active && known.flatMap(Self.created) != told[name]
        guard isAnother || (state != .active) != isHidden(name), asked[name].map({ clock.now >= $0 + Self.disagreement }) ?? true else {
          continue
        }
        asked[name] = clock.now
        let object: JSONValue?
        do throws(StatusError) { object = try await ask(name) } catch { continue }
        let live = object.map(Self.state) ?? .missing
        if live == .active, let created = object.flatMap(Self.created), told.updateValue(created, forKey: name) != created {
          asked[name] = nil
          made(name, created)
        }
        guard (live != .active) != isHidden(name) else { continue }
        asked[name] = nil
        hide(name, live != .active, live)
      }
      // Of our own copy: it costs the cluster nothing.
      try? await clock.sleep(for: .milliseconds(200))
    }
  }

  /// Between two questions about a namespace of which the copy and the cluster say different things.
  private static let disagreement: Duration = .seconds(2)

  /// The Namespace; nil when the cluster says that there is none.
  ///
  /// - Throws: 503 when the cluster cannot be asked.
  func object(of namespace: String) async throws(StatusError) -> JSONValue? {
    if collection.isSynced, let known = collection.item(name: namespace) { return known }
    return try await ask(namespace)
  }

  private func ask(_ namespace: String) async throws(StatusError) -> JSONValue? {
    do throws(KubeError) {
      return try await api.send(KubeRequest("GET", "/api/v1/namespaces/\(PercentEncoding.encoded(namespace))")).body
    } catch {
      if error.isAbsence(of: namespace) { return nil }
      logger.warning("a namespace could not be looked up", metadata: ["namespace": "\(namespace)", "problem": "\(error)"])
      let advice = error.advice("GET of the namespace", needs: "the verb get on namespaces")
      throw .serviceUnavailable("namespace \(GoText.quoted(namespace)) could not be looked up in the cluster: \(advice)", retryAfter: 1)
    }
  }

  /// As ``object(of:)``. - Throws: also the 404 that kube-apiserver gives for a namespace that is missing.
  func required(_ namespace: String) async throws(StatusError) -> JSONValue {
    guard let object = try await object(of: namespace) else { throw .namespaceNotFound(namespace) }
    return object
  }
}
