internal import AdapterKit
package import JSON

/// The view of all runs, with the objects that they are shown as. Derived, never the source of truth; a value without lock, clock or task.
///
/// ``observe(_:now:)`` is the only way by which anything that was learnt becomes an event.
package struct RunStore: Sendable {
  package internal(set) var objects: ObjectStore
  let projection: any RunProjecting
  var bindings: [BindingID: BindingRuns] = [:]
  /// Who wants each `namespace/name`; the first holds it.
  var claims: [String: [RunRef]] = [:]
  /// Who carries which envelope, by its uid; more than one where there are copies.
  var carriers: [String: Set<RunRef>] = [:]
  /// Whose it is; none where all of them are copies.
  var owners: [String: RunRef] = [:]
  /// The runs that are shown, by uid.
  var shown: [String: RunRef] = [:]
  var departed = Departed()
  /// The uids of the shown runs that are being deleted.
  private(set) var terminating: [BindingID: Set<String>] = [:]
  /// Namespaces that are going or gone: nothing in them is shown.
  private(set) var hiddenNamespaces: Set<String> = []
  /// When the namespaces that are there now were made, where the cluster says.
  private(set) var namespaceCreations: [String: Timestamp] = [:]

  package init(objects: ObjectStore, bindings: [BindingSettings], projection: any RunProjecting) {
    self.objects = objects
    self.projection = projection
    for settings in bindings { self.bindings[settings.id] = BindingRuns(settings) }
  }

  // MARK: What is known

  /// The run that an object stands for.
  package func ref(namespace: String, name: String) -> RunRef? {
    guard let first = claims[StoredObject.key(namespace: namespace, name: name)]?.first, entry(first)?.isShown ?? false else { return nil }
    return first
  }

  package func ref(uid: String) -> RunRef? { shown[uid] }
  package func run(_ ref: RunRef) -> KnownRun? { entry(ref)?.run }

  /// nil when the run is unknown or not shown.
  package func object(of ref: RunRef) -> StoredObject? {
    guard let entry = entry(ref), entry.isShown, let claim = entry.claim else { return nil }
    return objects[.workflows].object(claim)
  }

  /// The uid of a run that was submitted here, shown or not; nil for any other.
  func ownUID(_ ref: RunRef) -> String? {
    guard ownsEnvelope(ref), let entry = entry(ref), let uid = entry.envelope?.uid else { return nil }
    return successor(of: uid, entry, ref.binding)
  }

  /// The uid that a run has now whose first object had another one (``Succession``). What is in the store has not left since, and stays what it is;
  /// what is held, or hidden, under its first uid has never left.
  func successor(of uid: String, _ entry: RunEntry, _ id: BindingID) -> String {
    if entry.firstUID == uid, let present = entry.uid { return present }
    guard let binding = bindings[id] else { return uid }
    let overlay = binding.settings.readsOverlaysApart ? binding.overlays?.byUID[uid] : entry.run.overlay
    let isHeld = overlay.flatMap(Held.says) ?? entry.run.envelope.map(Held.says(envelope:)) ?? false
    guard !isHeld, overlay?["hidden"]?.bool != true else { return uid }
    return Succession.uid(uid, of: entry.run, window: binding.settings.window, renewed: entry.renewedAt)
  }

  /// When a run is to be cancelled for its age, by our clock and by what is known of the engine's; nil when never.
  func cancelAt(_ ref: RunRef) -> Timestamp? {
    guard let entry = entry(ref), let clock = bindings[ref.binding]?.clock else { return nil }
    return entry.cancelAt(ownsEnvelope: ownsEnvelope(ref), clock)
  }

  package func object(uid: String) -> StoredObject? { shown[uid].flatMap { object(of: $0) } }

  /// Runs of a binding that were submitted here and are active, shown or not.
  package func activeOwnRuns(_ binding: BindingID) -> [(ref: RunRef, uid: String)] {
    (bindings[binding]?.runs ?? [:]).values.compactMap { entry in
      let ref = RunRef(binding, entry.run.key)
      guard entry.run.key.kind == .run, entry.run.isActive, let uid = ownUID(ref) else { return nil }
      return (ref, uid)
    }.sorted { RunKey.precedes($0.ref.key, $1.ref.key) }
  }

  mutating func noteTerminating(_ uid: String, _ binding: BindingID, _ isTerminating: Bool) {
    if isTerminating {
      terminating[binding, default: []].insert(uid)
    } else if terminating[binding]?.remove(uid) != nil, terminating[binding]?.isEmpty ?? false {
      terminating[binding] = nil
    }
  }

  /// Hides or shows everything in a namespace: it is going or gone, or it is there again. Nothing is asked of any engine.
  package mutating func setNamespace(_ name: String, isHidden: Bool, now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    guard hiddenNamespaces.contains(name) != isHidden else { return outcome }
    if isHidden { hiddenNamespaces.insert(name) } else { hiddenNamespaces.remove(name) }
    var changes: [ObjectChange] = []
    var from: [BindingID] = []
    for (id, binding) in bindings.sorted(by: { $0.key < $1.key }) where binding.settings.namespaces.contains(name) {
      from.append(id)
      // Templates come again with the next list.
      guard isHidden else { continue }
      for (key, entry) in binding.templates.sorted(by: { $0.key < $1.key }) where entry.draft.namespace == name {
        if let shown = entry.shownName { changes.append(.remove(.workflowtemplates, namespace: name, name: shown)) }
        bindings[id]?.templates[key] = nil
      }
    }
    commit(changes, from, now: now, &outcome)
    project(runs(in: name), now: now, &outcome)
    return outcome
  }

  /// When a namespace was made that is there: Workflows that ended before are not shown, for they were of an earlier namespace of that name.
  package mutating func setNamespace(_ name: String, created: Timestamp, now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    guard namespaceCreations.updateValue(created, forKey: name) != created else { return outcome }
    project(runs(in: name), now: now, &outcome)
    return outcome
  }

  /// All runs that can be of a namespace.
  private func runs(in namespace: String) -> DirtyRuns {
    var runs = DirtyRuns()
    for (id, binding) in bindings.sorted(by: { $0.key < $1.key }) where binding.settings.namespaces.contains(namespace) {
      for key in binding.runs.keys.sorted(by: RunKey.precedes) { runs.insert(RunRef(id, key)) }
    }
    return runs
  }

  func entry(_ ref: RunRef) -> RunEntry? { bindings[ref.binding]?.runs[ref.key] }

  // MARK: Readiness

  /// The bindings in the scope of a read that were never read completely; until they are, the read is 503 (design §4.7).
  package func notReady(_ resource: Resource, namespace: String?) -> [BindingID] {
    bindings.values.filter { binding in
      guard namespace.map({ binding.settings.namespaces.contains($0) }) ?? true else { return false }
      // What is hidden is not late.
      guard !binding.settings.namespaces.isSubset(of: hiddenNamespaces) else { return false }
      return switch resource {
      case .workflows: !binding.isSwept
      case .workflowtemplates: binding.settings.hasTemplates && !binding.areTemplatesListed
      case .workflowbackends: false
      }
    }.map(\.settings.id).sorted()
  }

  /// The first full sweep of a binding has ended: its namespaces can be read. Nobody could before, so this is the moment to decide what needs all runs.
  package mutating func markSwept(_ binding: BindingID, now: Timestamp) -> ObserveOutcome {
    var outcome = ObserveOutcome()
    var dirty = DirtyRuns()
    if bindings[binding]?.clock.settle() ?? false { judgeAgain(binding, &dirty) }
    project(dirty, now: now, &outcome)
    outcome.summaries = dirty.order.compactMap { summary($0, []) }
    bindings[binding]?.isSwept = true
    return outcome
  }
}
