import JSON
import KubeClient
import KubeWire
import Logging
import Synchronization
import Translation

/// The objects of one kind in the cluster, kept current, each made into an `Item` once per version.
///
/// Paths are tried in order until one is served: a kind that exists only in an older version is read in that one. A 404 is a failure like any
/// other, unless the kind is one that clusters may lack and discovery says that this one does: then the collection is empty, and the kind is looked
/// for again every minute.
final class Collection<Item: Sendable>: Sendable {
  /// The plural name, for messages.
  let name: String
  private let api: any KubeAPI
  private let paths: [String]
  private let mayLack: Bool
  private let clock: any TimeSource
  private let logger: Logger
  /// - The second argument is what was made of the object before; nil drops the object.
  private let make: @Sendable (JSONValue, Item?) -> Item?
  private let state = Mutex(State())

  private struct State {
    var items: [String: Item] = [:]
    var sorted: [Item]?
    var isSynced = false
    /// As anybody may read it.
    var problem = "the first list has not ended"
    var isDenied = false
    /// With all that is known of it, as it was logged last.
    var logged = ""
  }

  /// - Parameter mayLack: whether a cluster that is supported may have no such kind.
  init(
    _ name: String, paths: [String], mayLack: Bool = false, api: any KubeAPI, clock: any TimeSource, logger: Logger,
    make: @escaping @Sendable (JSONValue, Item?) -> Item?
  ) {
    self.name = name
    self.paths = paths
    self.mayLack = mayLack
    self.api = api
    self.clock = clock
    self.logger = logger
    self.make = make
  }

  /// Once true it stays true: a watch that broke leaves the last known state, as in an informer of Kubernetes.
  var isSynced: Bool { state.withLock { $0.isSynced } }

  /// Why there is no list yet, without addresses; nil when there is one.
  var problem: String? { state.withLock { $0.isSynced ? nil : $0.problem } }

  /// The account may not read it: nothing will change until somebody grants that.
  var isDenied: Bool { state.withLock { !$0.isSynced && $0.isDenied } }

  /// By namespace and name, ascending.
  var items: [Item] {
    state.withLock { state in
      if let sorted = state.sorted { return sorted }
      let sorted = state.items.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }.map(\.value)
      state.sorted = sorted
      return sorted
    }
  }

  func item(namespace: String = "", name: String) -> Item? { state.withLock { $0.items[Self.key(namespace, name)] } }

  /// Lists and watches until the task is cancelled.
  func run() async {
    var failures = 0
    while !Task.isCancelled {
      do throws(KubeError) {
        if let (informer, path) = try await served() {
          failures = 0
          await keep(informer, path: path)
        } else if mayLack, try await KindDiscovery(api: api).lacks(paths) {
          failures = 0
          change(.replaced([]))
          try? await clock.sleep(for: Self.patience)
        } else {
          throw .status(.unknownPath)
        }
      } catch {
        guard !Task.isCancelled else { return }
        note(error)
        try? await clock.sleep(for: .milliseconds(min(30_000, 500 << min(failures, 6))))
        failures += 1
      }
    }
  }

  /// Between two looks for a version of the kind that is served.
  private static var patience: Duration { .seconds(60) }

  private func note(_ error: KubeError) {
    let text = "\(error)"
    let isNew = state.withLock { state in
      if case .status(let refusal) = error { state.isDenied = refusal.code == 403 || refusal.code == 401 } else { state.isDenied = false }
      state.problem = error.advice("list of \(name)", needs: "the verbs list and watch on them")
      defer { state.logged = text }
      return state.logged != text
    }
    if isNew { logger.warning("admission cannot read the cluster", metadata: ["resource": "\(name)", "problem": "\(text)"]) }
  }

  /// An informer on the first path that the cluster serves, listed once; nil when all of them are 404.
  private func served() async throws(KubeError) -> (Informer, path: String)? {
    for path in paths {
      let surroundings = Informer.Surroundings(sleep: { [clock] in try await clock.sleep(for: $0) })
      let informer = Informer(api, path: path, surroundings: surroundings, logger: logger) { [weak self] in self?.change($0) }
      do throws(KubeError) {
        try await informer.list()
        return (informer, path)
      } catch .status(let refusal) where refusal.code == 404 {}
    }
    return nil
  }

  /// Runs the informer until the task is cancelled, or its path is gone: a cluster that was upgraded may serve another version now.
  private func keep(_ informer: Informer, path: String) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await informer.run() }
      group.addTask { [clock, api] in
        while !Task.isCancelled {
          try? await clock.sleep(for: Self.patience)
          guard informer.problem != nil else { continue }
          do throws(KubeError) { _ = try await api.send(KubeRequest("GET", path, query: [("limit", "1")])) } catch {
            if case .status(let refusal) = error, refusal.code == 404 { return }
          }
        }
      }
      await group.next()
      group.cancelAll()
    }
  }

  private static func key(_ namespace: String, _ name: String) -> String { namespace.isEmpty ? name : "\(namespace)/\(name)" }

  private static func key(of object: JSONValue) -> String {
    let metadata = object["metadata"]
    return key(metadata?["namespace"]?.string ?? "", metadata?["name"]?.string ?? "")
  }

  private func change(_ change: Informer.Change) {
    switch change {
    case .replaced(let objects):
      let before = state.withLock { $0.items }
      var items: [String: Item] = [:]
      for object in objects {
        let key = Self.key(of: object)
        items[key] = make(object, before[key])
      }
      state.withLock { [items] in $0 = State(items: items, isSynced: true, problem: "") }
    case .set(let object):
      let key = Self.key(of: object)
      set(key, make(object, state.withLock { $0.items[key] }))
    case .deleted(let object): set(Self.key(of: object), nil)
    }
  }

  private func set(_ key: String, _ item: Item?) {
    state.withLock {
      $0.items[key] = item
      $0.sorted = nil
    }
  }
}
