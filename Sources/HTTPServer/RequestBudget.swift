import HTTPMessage
import Synchronization

/// Bounds the memory of unfinished requests, whose senders nobody has asked about yet: header and body bytes of all connections together.
/// Peers without a certificate that one of our CAs vouches for have half of it, so that they cannot keep out kube-apiserver's front proxy;
/// their requests count until they are answered, since it may take long to find out whose they are.
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
  private var bytes = 0

  /// What each connection may hold beside the budget. The kubelet's probes show no certificate: were there no room for them while strangers
  /// fill their half, it would kill the server.
  private static let freeBytes = 4 * 1024

  init(connection: Connection) { self.connection = connection }

  /// False, and nothing taken, when the connection or all of them together would hold too much.
  func take(_ more: Int) -> Bool {
    let core = connection.core
    let (before, after) = (connection.unfinishedBytes, connection.unfinishedBytes + more)
    guard after <= core.configuration.maximumUnfinishedBytesPerConnection else { return false }
    // What was taken as one kind is given back as that kind, whatever becomes of the certificate meanwhile.
    if before == 0 { connection.holdsAsVerified = connection.peer.certificate != nil }
    let counted = Self.counted(after) - Self.counted(before)
    guard counted == 0 || core.budget.take(counted, isVerified: connection.holdsAsVerified) else { return false }
    connection.unfinishedBytes = after
    bytes += more
    return true
  }

  /// Gives back all that is held; a second time nothing.
  func release() {
    guard bytes > 0 else { return }
    let before = connection.unfinishedBytes
    connection.unfinishedBytes -= bytes
    bytes = 0
    let counted = Self.counted(before) - Self.counted(connection.unfinishedBytes)
    if counted > 0 { connection.core.budget.release(counted, isVerified: connection.holdsAsVerified) }
  }

  private static func counted(_ bytes: Int) -> Int { max(0, bytes - freeBytes) }
}
