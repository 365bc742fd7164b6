internal import AdapterKit
internal import JSON

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
  var carriers: [String: [RunRef]] = [:]
  /// The runs that are shown, by uid.
  var shown: [String: RunRef] = [:]
  var departed = Departed()

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

  func entry(_ ref: RunRef) -> RunEntry? { bindings[ref.binding]?.runs[ref.key] }

  // MARK: Readiness

  /// The bindings in the scope of a read that were never read completely; until they are, the read is 503 (design §4.7).
  package func notReady(_ resource: Resource, namespace: String?) -> [BindingID] {
    bindings.values.filter { binding in
      guard namespace.map({ binding.settings.namespaces.contains($0) }) ?? true else { return false }
      return switch resource {
      case .workflows: !binding.isSwept
      case .workflowtemplates: binding.settings.hasTemplates && !binding.areTemplatesListed
      case .workflowbackends: false
      }
    }.map(\.settings.id).sorted()
  }

  /// The first full sweep of a binding has ended: its namespaces can be read.
  package mutating func markSwept(_ binding: BindingID) { bindings[binding]?.isSwept = true }
}
