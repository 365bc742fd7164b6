package import JSON
import KubeWire
package import Logging
import OrderedCollections
import Synchronization

/// A local copy of a collection, kept current by list and watch. When the cluster cannot be asked, the last good content stays.
package final class Informer: Sendable {
  package enum Change: Sendable {
    /// A list: this is all there is.
    case replaced([JSONValue])
    /// Added or modified.
    case set(JSONValue)
    case deleted(JSONValue)
  }

  /// What waits and what is random; tests put their own in its place.
  package struct Surroundings: Sendable {
    package var sleep: @Sendable (Duration) async throws -> Void
    /// 0 ..< 1.
    package var random: @Sendable () -> Double

    package init(
      sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
      random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
      self.sleep = sleep
      self.random = random
    }
  }

  private struct Key: Hashable {
    var namespace: String
    var name: String

    init(_ object: JSONValue) {
      namespace = object["metadata"]?["namespace"]?.string ?? ""
      name = object["metadata"]?["name"]?.string ?? ""
    }

    init(namespace: String, name: String) {
      self.namespace = namespace
      self.name = name
    }
  }

  private struct State {
    var objects: OrderedDictionary<Key, JSONValue> = [:]
    var synced = false
    var problem: String?
  }

  private let api: any KubeAPI
  private let path: String
  private let query: [(name: String, value: String)]
  private let surroundings: Surroundings
  private let logger: Logger
  private let onChange: @Sendable (Change) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - path: of the collection, such as `/api/v1/namespaces`.
  ///   - query: selectors, sent with every list and watch.
  ///   - onChange: called after the content changed, one call at a time, from the task that runs ``run()``.
  package init(
    _ api: any KubeAPI, path: String, query: [(name: String, value: String)] = [], surroundings: Surroundings = Surroundings(),
    logger: Logger, onChange: @escaping @Sendable (Change) -> Void = { _ in }
  ) {
    self.api = api
    self.path = path
    self.query = query
    self.surroundings = surroundings
    self.logger = logger
    self.onChange = onChange
  }

  /// Without their managedFields, in the order of the last list.
  package var objects: [JSONValue] { state.withLock { Array($0.objects.values) } }

  /// - Parameter namespace: empty for cluster-scoped objects.
  package func object(namespace: String = "", name: String) -> JSONValue? {
    state.withLock { $0.objects[Key(namespace: namespace, name: name)] }
  }

  /// True once a whole list was read; it stays true.
  package var hasSynced: Bool { state.withLock { $0.synced } }

  /// Why it is not current; nil when it is.
  package var problem: String? { state.withLock { $0.problem } }

  /// Lists and watches until the task is cancelled.
  package func run() async {
    var version: String?
    var failures = 0
    while !Task.isCancelled {
      do throws(KubeError) {
        let from: String
        if let version { from = version } else { from = try await list() }
        version = from
        recovered()
        let seen = try await watch(&version)
        // A watch without one event may be a server that ends each at once.
        if !seen { await pause(.seconds(1)) }
        failures = 0
      } catch {
        if Task.isCancelled { return }
        if case .status(let status) = error, status.code == 410 || ["Expired", "Gone"].contains(status.status.reason) {
          version = nil
          // The first time there is nothing wrong with anybody.
          if failures == 0 {
            failures = 1
            continue
          }
        } else {
          report(error)
        }
        await pause(backOff(failures, error))
        failures += 1
      }
    }
  }

  /// One list, page by page. `run` does it by itself; a caller may do it first, to know at once whether it works.
  ///
  /// - Returns: the version to watch from.
  @discardableResult
  package func list() async throws(KubeError) -> String {
    var objects: OrderedDictionary<Key, JSONValue> = [:]
    var paging: [(name: String, value: String)] = [("limit", "500")]
    while true {
      let page: JSONValue
      do throws(KubeError) {
        page = try await api.send(KubeRequest("GET", path, query: query + paging, timeout: .seconds(60))).body
      } catch {
        // The token has expired: once more, in one piece.
        guard case .status(let status) = error, status.code == 410, paging.count == 2 else { throw error }
        objects = [:]
        paging = []
        continue
      }
      guard let items = page["items"]?.array ?? (page["items"].map { $0.isNull } == true ? [] : nil) else {
        throw .malformed("list \(path): the answer has no items")
      }
      for item in items { objects[Key(item)] = item.withoutManagedFields }
      if let next = page["metadata"]?["continue"]?.string, !next.isEmpty {
        paging = [("limit", "500"), ("continue", next)]
        continue
      }
      guard let version = page["metadata"]?["resourceVersion"]?.string, !version.isEmpty else {
        throw .malformed("list \(path): the answer has no resourceVersion")
      }
      state.withLock { state in
        state.objects = objects
        state.synced = true
      }
      onChange(.replaced(Array(objects.values)))
      return version
    }
  }

  /// - Parameter version: moves on with each event. - Returns: whether there was an event.
  private func watch(_ version: inout String?) async throws(KubeError) -> Bool {
    let seconds = 300 + Int(300 * surroundings.random())
    let stream = try await api.watch(
      path,
      query: query + [
        ("resourceVersion", version ?? "0"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", String(seconds)),
      ])
    var seen = false
    do {
      for try await event in stream {
        seen = true
        apply(event)
        if let next = event.object["metadata"]?["resourceVersion"]?.string { version = next }
      }
    } catch let error as KubeError {
      throw error
    } catch {
      throw .unreachable("watch \(path): \(error)")
    }
    return seen
  }

  private func apply(_ event: KubeEvent) {
    switch event.kind {
    case .bookmark: return
    case .added, .modified:
      let object = event.object.withoutManagedFields
      state.withLock { $0.objects[Key(object)] = object }
      onChange(.set(object))
    case .deleted:
      let object = event.object.withoutManagedFields
      _ = state.withLock { $0.objects.removeValue(forKey: Key(object)) }
      onChange(.deleted(object))
    }
  }

  private func pause(_ duration: Duration) async { try? await surroundings.sleep(duration * (1 + surroundings.random())) }

  /// 0.8 s, doubled up to 30 s, and not less than the server asks for.
  private func backOff(_ failures: Int, _ error: KubeError) -> Duration {
    let wait = min(Duration.milliseconds(800) * (1 << min(failures, 6)), .seconds(30))
    if case .status(let status) = error, let seconds = status.retryAfter { return max(wait, .seconds(seconds)) }
    return wait
  }

  private func report(_ error: KubeError) {
    let text = "\(error)"
    let isNew = state.withLock { state in
      defer { state.problem = text }
      return state.problem != text
    }
    if isNew { logger.warning("watching the cluster", metadata: ["path": "\(path)", "problem": "\(text)"]) }
  }

  private func recovered() {
    let had = state.withLock { state in
      defer { state.problem = nil }
      return state.problem != nil
    }
    if had { logger.notice("watching the cluster again", metadata: ["path": "\(path)"]) }
  }
}

extension JSONValue {
  /// Half of most objects, and of no use to a reader.
  fileprivate var withoutManagedFields: JSONValue {
    guard self["metadata"]?["managedFields"] != nil else { return self }
    var copy = self
    var metadata = self["metadata"]
    metadata?["managedFields"] = nil
    copy["metadata"] = metadata
    return copy
  }
}
