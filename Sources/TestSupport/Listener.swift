import Glibc
import Synchronization

/// A listening socket whose connections are accepted on a thread of its own, until it is stopped.
///
/// That thread alone closes the descriptor. Closed by the one who stops it, the number could be another listener's by the time the thread asks for
/// its next connection, and it would take one that was not meant for it.
final class Listener: Sendable {
  private let descriptor: Int32
  private let isClosed = Mutex(false)

  /// - Parameter descriptor: listens; from now on it is this object's.
  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// To be called once.
  /// - Parameter serve: called on the thread, one connection after the other; it is to close what it is given.
  func start(_ serve: @escaping @Sendable (Int32) -> Void) {
    Sockets.detachThread { [self, descriptor] in
      while true {
        let connection = accept(descriptor, nil, nil)
        if connection >= 0 { serve(connection) } else if errno != EINTR && errno != ECONNABORTED { break }
      }
      isClosed.withLock { isClosed in
        isClosed = true
        close(descriptor)
      }
    }
  }

  /// From now on connections are refused. Harmless when repeated.
  func stop() { isClosed.withLock { if !$0 { shutdown(descriptor, Int32(SHUT_RDWR)) } } }
}
