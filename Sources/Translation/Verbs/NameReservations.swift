internal import AdapterKit
internal import JSON
internal import KubeWire
internal import Synchronization

/// The names that a create is at work on, or whose create ended unclear. They are derived: after a restart the engine tells.
final class NameReservations: Sendable {
  struct Doubt: Sendable {
    var submission: Submission
    var bound: Bound
    var until: Timestamp
  }

  private enum Holder: Sendable {
    case atWork
    case inDoubt(Doubt)
  }

  private let holders = Mutex<[String: Holder]>([:])

  /// - Throws: AlreadyExists while another create of the name is at work, as if it had been first; Conflict while one is in doubt.
  func reserve(namespace: String, name: String, group: String) throws(StatusError) -> NameReservation {
    let key = SubmissionBuilder.key(namespace: namespace, name: name)
    let taken: Holder? = holders.withLock { holders in
      if let holder = holders[key] { return holder }
      holders[key] = .atWork
      return nil
    }
    switch taken {
    case nil: return NameReservation(key: key, reservations: self)
    case .atWork: throw .alreadyExists(resource: "workflows", group: group, name: name, suffix: ": another create of this name is at work")
    case .inDoubt(let doubt):
      throw .conflict(
        resource: "workflows", group: group, name: name,
        reason:
          "submission in doubt: the answer to an earlier create of this name was lost; until \(doubt.until.rfc3339Seconds) the run may still appear in the engine"
      )
    }
  }

  /// Whether a create of the name has begun and not ended.
  func isAtWork(namespace: String, name: String) -> Bool {
    holders.withLock { if case .atWork = $0[SubmissionBuilder.key(namespace: namespace, name: name)] { true } else { false } }
  }

  var inDoubt: Int { holders.withLock { $0.values.count { if case .inDoubt = $0 { true } else { false } } } }

  /// Those whose engine had its time: they are to be looked up, then released.
  func overdue(now: Timestamp) -> [(key: String, doubt: Doubt)] {
    holders.withLock { holders in
      holders.compactMap { key, holder in
        if case .inDoubt(let doubt) = holder, doubt.until <= now { (key, doubt) } else { nil }
      }
    }
  }

  func release(_ key: String) { holders.withLock { $0[key] = nil } }

  fileprivate func finish(_ key: String) {
    holders.withLock { if case .atWork = $0[key] { $0[key] = nil } }
  }

  fileprivate func doubt(_ key: String, _ doubt: Doubt) { holders.withLock { $0[key] = .inDoubt(doubt) } }
}

/// One create's hold on its name.
struct NameReservation: Sendable {
  fileprivate let key: String
  fileprivate let reservations: NameReservations

  /// Gives the name back, unless it was kept in doubt.
  func release() { reservations.finish(key) }

  /// Keeps the name until a look-up that begins after the engine's submit deadline has answered (design §7).
  func keepInDoubt(_ submission: Submission, bound: Bound, until: Timestamp) {
    reservations.doubt(key, NameReservations.Doubt(submission: submission, bound: bound, until: until))
  }
}
