import JSON
import KubeWire
import Synchronization
import Translation

/// How many objects of ours a namespace has; those named in `besides` are not counted, whether they are there or not.
package typealias CountingObjects = @Sendable (_ namespace: String, _ besides: Set<String>) async -> Int

/// Holds creates to the object counts of the ResourceQuotas in their namespace. What was made in the engine counts, and is never refused.
///
/// `status.used` is written by kube-controller-manager; here the objects themselves are counted, which is newer.
final class ResourceQuotas: Sendable {
  let collection: Collection<ObjectQuota>
  private let resource: String
  private let count: CountingObjects
  private let clock: any TimeSource
  private let writes = Mutex<[String: [String: Reservation]]>([:])

  private struct Reservation {
    var name: String
    var until: Timestamp
  }

  /// - Parameter resource: `count/workflows.workflow.example.com`
  init(resource: String, collection: Collection<ObjectQuota>, count: @escaping CountingObjects, clock: any TimeSource) {
    self.resource = resource
    self.collection = collection
    self.count = count
    self.clock = clock
  }

  /// A create holds its place until ``finish(_:)``, so that many at once do not all find the last free place. A dry run holds none.
  ///
  /// - Throws: 403 with kube-apiserver's text.
  func validate(_ write: Write) async throws(StatusError) {
    let attributes = write.attributes
    guard attributes.operation == .create, attributes.subresource.isEmpty, attributes.resource == .workflows else { return }
    let quotas = collection.items.filter { $0.namespace == attributes.namespace }
    guard !quotas.isEmpty else { return }
    // First the place, then the count: of two that come together the later one sees the earlier one, whichever is counted first. A dry run
    // takes none, also not while it counts: it would have a real create refused.
    let others = reserve(attributes, holding: !attributes.dryRun)
    let used = await count(attributes.namespace, others) + others.count
    do throws(StatusError) {
      for quota in quotas { try check(quota, used: used, write) }
    } catch {
      finish(attributes)
      throw error
    }
  }

  private func check(_ quota: ObjectQuota, used: Int, _ write: Write) throws(StatusError) {
    guard let limit = quota.count else {
      throw write.forbidden("status unknown for quota: \(quota.name), resources: \(resource)")
    }
    guard used + 1 > limit else { return }
    throw write.forbidden(
      "exceeded quota: \(quota.name), requested: \(resource)=1, used: \(resource)=\(used), limited: \(resource)=\(quota.limit)")
  }

  func finish(_ attributes: AdmissionAttributes) {
    writes.withLock { writes in
      writes[attributes.namespace]?[attributes.uid] = nil
      if writes[attributes.namespace]?.isEmpty == true { writes[attributes.namespace] = nil }
    }
  }

  /// - Parameter holding: whether this write takes a place itself.
  /// - Returns: the names of the writes that hold a place already.
  private func reserve(_ attributes: AdmissionAttributes, holding: Bool) -> Set<String> {
    let now = clock.now
    return writes.withLock { writes in
      // A write whose end nobody reported holds its place for a while after its deadline, not for ever.
      var held = writes[attributes.namespace, default: [:]].filter { $0.value.until > now && $0.key != attributes.uid }
      let others = Set(held.values.map(\.name))
      if holding { held[attributes.uid] = Reservation(name: attributes.name, until: attributes.context.deadline + .seconds(300)) }
      writes[attributes.namespace] = held.isEmpty ? nil : held
      return others
    }
  }
}
