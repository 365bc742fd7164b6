internal import KubeWire
internal import Synchronization

/// How many watches and logs one user may have open. They are not counted among the requests in flight, so nothing else bounds them.
final class WatchLimit: Sendable {
  /// One open watch; it must be given back once.
  final class Lease: Sendable {
    private let user: String
    private let limit: WatchLimit
    private let isOpen = Atomic(true)

    fileprivate init(_ user: String, _ limit: WatchLimit) {
      self.user = user
      self.limit = limit
    }

    /// Giving it back again does nothing.
    func giveBack() {
      if isOpen.exchange(false, ordering: .relaxed) { limit.leave(user) }
    }
  }

  private let maximum: Int
  private let open = Mutex<[String: Int]>([:])

  /// - Parameter maximum: 0 for no limit.
  init(_ maximum: Int) { self.maximum = maximum }

  /// - Parameter isExempt: for system:masters.
  /// - Throws: 429 with Retry-After.
  func enter(_ user: String, isExempt: Bool = false) throws(StatusError) -> Lease {
    let isTooMany = open.withLock { open in
      let count = open[user] ?? 0
      if maximum > 0, count >= maximum, !isExempt { return true }
      open[user] = count + 1
      return false
    }
    if isTooMany {
      throw .tooManyRequests("Too many requests: \(maximum) watches and logs of this user are open already, please try again later.")
    }
    return Lease(user, self)
  }

  private func leave(_ user: String) {
    open.withLock { open in
      // Users who watch nothing are forgotten.
      if let count = open[user], count > 1 { open[user] = count - 1 } else { open[user] = nil }
    }
  }
}
