import HTTPMessage
import Synchronization

/// Bounds the memory of unfinished requests, whose senders nobody has asked about yet: header and body bytes of all connections together.
/// Peers without a certificate that one of our CAs vouches for have half of it, so that they cannot keep out kube-apiserver's front proxy.
final class RequestBudget: Sendable {
  private struct Counts {
    var all = 0
    var unverified = 0
  }

  private let maximum: Int
  private let counts = Mutex(Counts())

  /// - Parameter maximum: bytes.
  init(maximum: Int) { self.maximum = maximum }

  /// What unfinished requests hold now, in bytes.
  var held: Int { counts.withLock { $0.all } }

  /// False, and nothing taken, when that would be too much.
  func take(_ bytes: Int, isVerified: Bool) -> Bool {
    counts.withLock { counts in
      guard counts.all + bytes <= maximum else { return false }
      if !isVerified {
        guard counts.unverified + bytes <= maximum / 2 else { return false }
        counts.unverified += bytes
      }
      counts.all += bytes
      return true
    }
  }

  func release(_ bytes: Int, isVerified: Bool) {
    counts.withLock { counts in
      counts.all -= bytes
      if !isVerified { counts.unverified -= bytes }
    }
  }
}

/// What one request of a connection holds of the budget. On the connection's event loop.
final class BudgetHold {
  private let connection: Connection
  private var isVerified = false
  private(set) var bytes = 0

  init(connection: Connection) { self.connection = connection }

  /// False, and nothing taken, when the connection or all of them together would hold too much.
  func take(_ more: Int) -> Bool {
    let core = connection.core
    guard connection.unfinishedBytes + more <= core.configuration.maximumUnfinishedBytesPerConnection else { return false }
    // What was taken as one kind is given back as that kind, whatever becomes of the certificate meanwhile.
    if bytes == 0 { isVerified = connection.peer.certificate != nil }
    guard core.budget.take(more, isVerified: isVerified) else { return false }
    connection.unfinishedBytes += more
    bytes += more
    return true
  }

  /// Gives back all that is held; a second time nothing.
  func release() {
    guard bytes > 0 else { return }
    connection.core.budget.release(bytes, isVerified: isVerified)
    connection.unfinishedBytes -= bytes
    bytes = 0
  }
}
