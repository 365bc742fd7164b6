internal import JSON
package import KubeClient
internal import KubeWire
package import Logging
internal import OrderedCollections
internal import Synchronization
package import Translation

/// Tells the cluster what became of Workflows, as core/v1 Events: `kubectl describe` and `kubectl events --for` show them.
///
/// It follows the event window like any watcher and costs the engine nothing. What cannot be told is dropped, never repeated for long: an Event is a
/// courtesy, the Workflow itself is the record. How many it writes is bounded, since each lands in the cluster's etcd.
package final class EventRecorder: Sendable {
  /// As many at once, and then so many in a second.
  private static let burst = 100.0
  private static let perSecond = 5.0

  private struct Budget {
    var tokens = EventRecorder.burst
    var filled: Timestamp
    var dropped = 0
  }

  private let gateway: Gateway
  private let api: any KubeAPI
  private let component: String
  private let clock: any TimeSource
  private let logger: Logger
  private let pause: Duration
  private let budget: Mutex<Budget>
  private let following = Mutex<Set<String>>([])
  private let reported = Mutex<Set<String>>([])

  /// - Parameters:
  ///   - component: who says so; shown in the FROM column.
  ///   - pause: between looks at a namespace whose engine was never read.
  package init(
    gateway: Gateway, api: any KubeAPI, component: String = "workflow-apiserver", clock: any TimeSource = SystemClock(),
    pause: Duration = .seconds(1), logger: Logger
  ) {
    self.pause = pause
    self.gateway = gateway
    self.api = api
    self.component = component
    self.clock = clock
    self.logger = logger
    budget = Mutex(Budget(filled: clock.now))
  }

  /// Until the task is cancelled. Each namespace has a watch of its own, since one whose engine was never read cannot be watched yet.
  package func run() async {
    await withDiscardingTaskGroup { group in
      for namespace in gateway.boundNamespaces { group.addTask { await self.follow(namespace) } }
    }
  }

  /// True once the changes of a namespace are told.
  func isFollowing(_ namespace: String) -> Bool { following.withLock { $0.contains(namespace) } }

  private func follow(_ namespace: String) async {
    var phases: [String: String] = [:]
    while !Task.isCancelled {
      // All that is there comes first: it is not news, but tells the phases that later changes are compared with.
      let options = ListOptions(
        resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: true, sendInitialEvents: true, watch: true)
      let context = RequestContext(user: UserInfo(name: component), now: clock.now, deadline: clock.now + .seconds(10))
      guard let watch = try? await gateway.watch(.workflows, namespace: namespace, options: options, context: context) else {
        do { try await clock.sleep(for: pause) } catch { return }
        continue
      }
      await drain(watch, namespace, &phases)
    }
  }

  private func drain(_ watch: Watch, _ namespace: String, _ phases: inout [String: String]) async {
    let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    watch.start { signal.yield() }
    signal.yield()
    defer { watch.cancel() }
    var isNews = false
    for await _ in changes {
      loop: while true {
        switch watch.next() {
        case .events(let events):
          for event in events { await handle(event, isNews: isNews, &phases) }
        case .initialEventsEnd:
          isNews = true
          _ = following.withLock { $0.insert(namespace) }
        case .wait: break loop
        case .expired, .ended: return
        }
      }
    }
  }

  private func handle(_ event: WatchEvent, isNews: Bool, _ phases: inout [String: String]) async {
    let uid = event.object.draft.uid
    guard event.kind != .deleted else {
      phases[uid] = nil
      return
    }
    let before = phases[uid]
    phases[uid] = event.object.draft.content["status"]?["phase"]?.string
    guard isNews, let transition = WorkflowTransition.of(event.object, after: before), takeToken() else { return }
    let object = event.object
    let body = transition.event(of: object, apiVersion: gateway.apiVersion, component: component, at: clock.now)
    do throws(KubeError) {
      _ = try await api.send(KubeRequest("POST", "/api/v1/namespaces/\(object.draft.namespace)/events", body: body))
      reported.withLock { $0 = [] }
    } catch {
      report(error, object)
    }
  }

  /// Once for each cause: what is wrong with one Event is wrong with all of them. 409 means that it is there already.
  private func report(_ error: KubeError, _ object: StoredObject) {
    var cause = "unreachable"
    if case .status(let status) = error { cause = "\(status.code) \(status.status.reason)" }
    let isNew = cause.hasPrefix("409") ? false : reported.withLock { $0.insert(cause).inserted }
    guard isNew else { return }
    logger.warning(
      "Events cannot be recorded; the gateway's account needs the verb create on events",
      metadata: ["workflow": "\(object.key)", "problem": "\(error)"])
  }

  private func takeToken() -> Bool {
    let now = clock.now
    let (taken, dropped) = budget.withLock { budget -> (Bool, Int) in
      budget.tokens = min(Self.burst, budget.tokens + Double((now - budget.filled).inMicroseconds) / 1e6 * Self.perSecond)
      budget.filled = now
      guard budget.tokens >= 1 else {
        budget.dropped += 1
        return (false, 0)
      }
      budget.tokens -= 1
      defer { budget.dropped = 0 }
      return (true, budget.dropped)
    }
    if dropped > 0 { logger.notice("events dropped: too many Workflows changed at once", metadata: ["count": "\(dropped)"]) }
    return taken
  }
}
