package import AdapterKit
package import JSON
internal import Synchronization

/// Drives one binding's ``Reconciler``: carries its actions out with the adapter and tells it what came of them. Holds no state of its own that
/// matters; what is known is in the ``SharedStore``.
package final class BindingDriver: Sendable {
  enum Job: Sendable {
    case call(ReconcilerAction)
    case liveGet(RunKey)
    case sleep(until: Timestamp)
  }

  enum Topic: Hashable, Sendable { case runs, templates }

  struct State: Sendable {
    var reconciler: Reconciler
    var liveGets = RefreshCoalescer<RunKey>()
    var refreshes = RefreshCoalescer<Topic>()
    var waiters: [Int: CheckedContinuation<RefreshOutcome, Never>] = [:]
    var lastWaiter = 0
    /// Moments at which somebody wakes up to look.
    var alarms: Set<Timestamp> = []
    var isStopped = false
  }

  let binding: BindingSettings
  let adapter: any Adapter
  let abilities: AdapterAbilities
  let scope: AdapterScope
  let settings: ReconcilerSettings
  let store: SharedStore
  let clock: any TimeSource
  let random: @Sendable () -> Double
  let onStatus: @Sendable (BindingID, BackendConditions) -> Void
  let locks = RunLocks()
  let state: Mutex<State>
  private let jobs: AsyncStream<Job>
  let queue: AsyncStream<Job>.Continuation

  /// - Parameters:
  ///   - mayWrite: false for a binding that only observes: then nothing is cancelled, whatever its timeout.
  ///   - random: from 0 to 1; for jitter only.
  ///   - onStatus: told of every change of the conditions; must not block.
  package init(
    binding: BindingSettings, adapter: any Adapter, scope: AdapterScope, settings: ReconcilerSettings, store: SharedStore,
    mayWrite: Bool = true,
    clock: any TimeSource = SystemClock(), random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) },
    onStatus: @escaping @Sendable (BindingID, BackendConditions) -> Void = { _, _ in }
  ) {
    self.binding = binding
    self.adapter = adapter
    abilities = adapter.abilities
    self.scope = scope
    self.settings = settings
    self.store = store
    self.clock = clock
    self.random = random
    self.onStatus = onStatus
    state = Mutex(
      State(
        reconciler: Reconciler(
          binding: binding.id, settings: settings, abilities: ReconcilerAbilities(of: adapter, mayWrite: mayWrite), now: clock.now)))
    (jobs, queue) = AsyncStream.makeStream(of: Job.self)
  }

  /// Works until ``stop()`` or until the task is cancelled; then calls under way are cancelled, and whoever waits is told. Once.
  package func run() async {
    store.listen(binding.id) { [weak self] outcome in
      self?.handle(.learnt(outcome.summaries, gone: outcome.gone.map(\.key)))
    }
    store.listenForWatches(binding.id, namespaces: binding.namespaces) { [weak self] in self?.handle(.watched(true)) }
    await withDiscardingTaskGroup { group in
      handle(.start)
      for await job in jobs { group.addTask { await self.execute(job) } }
      group.cancelAll()
    }
    store.listen(binding.id, nil)
    store.listenForWatches(binding.id, namespaces: [], nil)
    let waiters = state.withLock { state in
      state.isStopped = true
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume(returning: .failed(AdapterError(.cancelled, "the gateway is stopping"))) }
  }

  package func stop() { queue.finish() }

  /// After an own write: look soon.
  package func wake() { handle(.wake) }

  /// The operator confirms that all missing runs are really gone.
  package func acceptShrink() { handle(.acceptShrink) }

  /// When the last poll or sweep that succeeded began; nil before.
  package var lastSuccess: Timestamp? { state.withLock { $0.reconciler.lastSuccess } }
  /// Whether the first full sweep has ended.
  package var isSwept: Bool { state.withLock { $0.reconciler.isSwept } }
  package var conditions: BackendConditions { state.withLock { $0.reconciler.conditions } }

  /// Takes in what a verb has learnt; after the answer to a write, looks soon.
  package func observe(_ batch: [Observed]) {
    store.observe(batch, now: clock.now)
    if batch.contains(where: { $0.source == .write }) { wake() }
  }

  /// The run is gone because we deleted it.
  package func forget(_ key: RunKey) { store.forget([RunRef(binding.id, key)], now: clock.now) }

  /// Does something while no read of the run is under way and none begins. Do not refresh the same run inside.
  package func withRunLock<Value: Sendable, Failure: Error>(_ key: RunKey, _ body: () async throws(Failure) -> Value) async throws(Failure)
    -> Value
  {
    await locks.acquire(key)
    defer {
      state.withLock { $0.liveGets.invalidate(key) }
      locks.release(key)
    }
    return try await body()
  }

  func handle(_ input: ReconcilerInput) {
    let random = random()
    let actions = state.withLock { $0.reconciler.handle(input, now: clock.now, random: random) }
    for action in actions { perform(action) }
  }
}
