import Glibc
import Synchronization

/// Passes TCP on to a port of this machine, until it is told to be silent: then the connections that there are stay open and carry nothing more, as
/// behind a middleman that has lost the way. New ones work.
package final class TCPProxy: Sendable {
  package let port: Int
  private let target: Int
  private let listener: Listener
  private let state = Mutex<(generation: Int, accepted: Int, isStopped: Bool)>((0, 0, false))

  package init(to target: Int) throws {
    self.target = target
    let socket: Int32
    (socket, port) = try Sockets.listenOnLoopback()
    listener = Listener(socket)
    listener.start { self.serve($0) }
  }

  /// How many connections it was given so far.
  package var connections: Int { state.withLock { $0.accepted } }

  package func goSilent() { state.withLock { $0.generation += 1 } }

  package func stop() {
    state.withLock { $0.isStopped = true }
    listener.stop()
  }

  private func serve(_ client: Int32) {
    guard let server = try? Sockets.connectOnLoopback(to: target) else {
      close(client)
      return
    }
    let generation = state.withLock { state in
      state.accepted += 1
      return state.generation
    }
    Sockets.detachThread { self.pass(client, server, generation) }
  }

  private func pass(_ client: Int32, _ server: Int32, _ generation: Int) {
    defer {
      close(client)
      close(server)
    }
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let (isSilent, isStopped) = state.withLock { ($0.generation != generation, $0.isStopped) }
      if isStopped { return }
      var ready = [pollfd(fd: client, events: Int16(POLLIN), revents: 0), pollfd(fd: server, events: Int16(POLLIN), revents: 0)]
      // Often enough to notice that it is over.
      if isSilent || poll(&ready, 2, 20) <= 0 {
        if isSilent { usleep(20_000) }
        continue
      }
      for (from, to) in [(0, 1), (1, 0)] where ready[from].revents != 0 {
        let count = recv(ready[from].fd, &piece, piece.count, 0)
        guard count > 0 else { return }
        // Silence must not come between the reading and the passing on of a piece.
        var sent = 0
        while sent < count {
          let written = piece[sent..<count].withUnsafeBytes { Glibc.send(ready[to].fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
          guard written > 0 else { return }
          sent += written
        }
      }
    }
  }
}
