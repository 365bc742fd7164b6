import Glibc
import Synchronization

/// A small real HTTP/1.1 server on loopback, or on a unix socket, that records requests and plays answers; one thread per connection.
///
/// ```
/// let engine = try StubEngine { request in request.path == "/health" ? .json("{}") : StubAnswer(404) }
/// defer { engine.stop() }
/// ```
package final class StubEngine: Sendable {
  private struct State {
    var requests: [StubRequest] = []
    var sockets: Set<Int32> = []
    var connections = 0
    var stopped = false
  }

  private let state = Mutex(State())
  private let answer: @Sendable (StubRequest) -> StubAnswer
  private let listener: Listener
  private let unixSocketPath: String?
  package let port: Int

  /// - Parameter unixSocketPath: listen there and not on a port; at most 107 bytes.
  /// - Parameter answer: called on the connection's thread for each request, after it was recorded; it may block.
  package init(unixSocketPath: String? = nil, answer: @escaping @Sendable (StubRequest) -> StubAnswer) throws {
    self.answer = answer
    self.unixSocketPath = unixSocketPath
    let socket: Int32
    (socket, port) = try unixSocketPath.map { (try Sockets.listen(unixSocketPath: $0), 0) } ?? Sockets.listenOnLoopback()
    listener = Listener(socket)
    listener.start { [weak self] in if let self { self.serve($0) } else { close($0) } }
  }

  deinit { stop() }

  /// `http://127.0.0.1:port`; for a unix socket `http://localhost`.
  package var url: String { unixSocketPath == nil ? "http://127.0.0.1:\(port)" : "http://localhost" }
  /// All requests so far, in the order in which they were read.
  package var requests: [StubRequest] { state.withLock { $0.requests } }
  /// Connections accepted so far.
  package var connections: Int { state.withLock { $0.connections } }
  /// Connections that are open now.
  package var openConnections: Int { state.withLock { $0.sockets.count } }

  package func forgetRequests() { state.withLock { $0.requests = [] } }

  /// Closes the listener and all connections. Harmless when repeated.
  package func stop() {
    let first = state.withLock { state in
      defer { state.stopped = true }
      return !state.stopped
    }
    guard first else { return }
    listener.stop()
    if let unixSocketPath { unlink(unixSocketPath) }
    closeConnections()
  }

  /// Ends all open connections, as a restarted engine does; new ones are accepted.
  package func closeConnections() {
    // The connection's own thread closes the descriptor: closing it here could hit a new socket of the same number.
    state.withLock { state in for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) } }
  }

  private func serve(_ socket: Int32) {
    var one: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    let number = state.withLock { state -> Int? in
      if state.stopped { return nil }
      state.connections += 1
      state.sockets.insert(socket)
      return state.connections
    }
    guard let number else {
      close(socket)
      return
    }
    Sockets.detachThread { [weak self, answer] in
      var reader = StubReader(socket: socket)
      while let request = reader.request(connection: number) {
        self?.state.withLock { $0.requests.append(request) }
        guard StubWriter(socket: socket).write(answer(request), to: request) else { break }
      }
      _ = self?.state.withLock { $0.sockets.remove(socket) }
      // A program that was started meanwhile may hold a copy of the descriptor: closing ours alone would leave the connection open.
      shutdown(socket, Int32(SHUT_RDWR))
      close(socket)
    }
  }
}
