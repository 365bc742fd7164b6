internal import AdapterKit
internal import Certificates
internal import JSON
internal import KubeWire
internal import Synchronization

/// Translates Kubernetes verbs into calls to engines. One file per verb in `Verbs/`; this one holds what they share.
package final class Gateway: Sendable {
  package let group: String
  package let store: SharedStore
  let bindings: [Bound]
  let projector: Projector
  let clock: any TimeSource
  let admission: any Admitting
  let namespaces: any NamespaceDirectory
  let backendUse: any BackendUse
  let leaving = LeavingRuns()
  let onLeavingFailure: LeavingFailure
  let reservations = NameReservations()
  /// Bytes that nobody can guess.
  let random: @Sendable (Int) -> [UInt8]
  private let begun = Mutex(false)

  /// - Parameters:
  ///   - bindings: those that are not disabled, each with its driver.
  ///   - admission: asked before every write.
  ///   - namespaces: asked before every create and every deletion of a collection.
  ///   - backendUse: asked before writes through bindings that want it.
  ///   - onLeavingFailure: for the log.
  package init(
    group: String, store: SharedStore, projector: Projector, bindings: [Bound], clock: any TimeSource,
    admission: any Admitting = AdmitAll(), namespaces: any NamespaceDirectory = AllNamespaces(),
    backendUse: any BackendUse = EveryBackend(), onLeavingFailure: @escaping LeavingFailure = { _, _, _ in },
    random: @escaping @Sendable (Int) -> [UInt8] = SecureRandom.bytes
  ) {
    self.group = group
    self.store = store
    self.projector = projector
    self.bindings = bindings
    self.clock = clock
    self.admission = admission
    self.namespaces = namespaces
    self.backendUse = backendUse
    self.onLeavingFailure = onLeavingFailure
    self.random = random
  }

  package var apiVersion: String { "\(group)/v1alpha1" }

  /// Discovery, health and documents never depend on an engine; this only says that the gateway has begun its work.
  package var isReady: Bool { begun.withLock { $0 } }

  /// Polls, finishes deletions and settles doubtful submissions until it is cancelled.
  package func run() async {
    begun.withLock { $0 = true }
    await withDiscardingTaskGroup { group in
      for bound in bindings {
        group.addTask { await bound.driver.run() }
        group.addTask { await DeletionFinisher(gateway: self, bound: bound).run() }
      }
      group.addTask { await self.settleDoubts() }
      group.addTask { await self.cancelLeavingRuns() }
    }
  }

  /// Hides everything in a namespace that is going or gone, or shows it again. No engine is asked for anything.
  package func setNamespace(_ name: String, isHidden: Bool) {
    let wasHidden = store.isHidden(name)
    store.setNamespace(name, isHidden: isHidden, now: clock.now)
    guard wasHidden, !isHidden else { return }
    for bound in bindings where bound.info.namespace == name {
      bound.driver.wake()
      bound.driver.handle(.demandTemplates)
    }
  }

  /// How long a read waits for the engine before it answers with what is known (design §4.6).
  static let patience: Duration = .seconds(2)

  func observe(_ observed: Observed) { store.observe([observed], now: clock.now) }

  func qualified(_ name: String) -> String { "workflows.\(group) \"\(name)\"" }

  /// The run behind an object that was just read, with the binding it belongs to. By uid: the name may be another run's by now.
  func located(uid: String, name: String) throws(StatusError) -> (bound: Bound, ref: RunRef) {
    guard let ref = store.ref(uid: uid), let bound = bindings.first(where: { $0.id == ref.binding }) else {
      throw .notFound(resource: "workflows", group: group, name: name)
    }
    return (bound, ref)
  }

  /// The object as it is now. - Throws: 404 when somebody else's deletion was first, or when it is hidden, which is no deletion.
  func still(_ object: StoredObject, _ ref: RunRef) throws(StatusError) -> StoredObject {
    guard let now = store.object(of: ref), now.draft.uid == object.draft.uid else {
      throw .notFound(resource: "workflows", group: group, name: object.draft.name)
    }
    return now
  }

  /// True for a run that was submitted here, it has the envelope that was made for it, and for the runs of a schedule that was.
  func isOurs(_ ref: RunRef) -> Bool {
    store.read { state in
      if state.ownsEnvelope(ref) { return true }
      guard let schedule = state.run(ref)?.core?.scheduledBy else { return false }
      return state.ownsEnvelope(RunRef(ref.binding, RunKey(kind: .schedule, parent: ref.key.parent, id: schedule)))
    }
  }

  /// Looks up every submission whose answer was lost and whose engine had its time, then frees the name.
  private func settleDoubts() async {
    while !Task.isCancelled {
      try? await clock.sleep(until: clock.now + .seconds(5))
      for (key, doubt) in reservations.overdue(now: clock.now) {
        let began = clock.now
        let found: Observation?
        do throws(AdapterError) { found = try await doubt.bound.find(doubt.submission) } catch {
          // An adapter that cannot look up never will: the engine had its time, and the user was told to look.
          if error.code == .unsupported { reservations.release(key) }
          continue
        }
        if let observation = found {
          observe(Observed(doubt.bound.id, observation, began: began, ended: clock.now, source: .get))
        }
        reservations.release(key)
      }
    }
  }
}
