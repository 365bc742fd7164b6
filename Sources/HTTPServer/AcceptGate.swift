import NIOCore
import Synchronization

/// Sits on the listening socket and stops accepting while there are too many connections or handshakes. What waits, waits in the backlog.
final class AcceptGate: Sendable {
  private struct Counts {
    var connections = 0
    var handshakes = 0
    var held: NIOLoopBound<ChannelHandlerContext>?
  }

  private let maximumConnections: Int
  private let maximumHandshakes: Int
  private let counts = Mutex(Counts())

  init(maximumConnections: Int, maximumHandshakes: Int) {
    self.maximumConnections = maximumConnections
    self.maximumHandshakes = maximumHandshakes
  }

  func opened() { counts.withLock { $0.connections += 1 } }
  func closed() { release { $0.connections -= 1 } }
  func handshakeBegan() { counts.withLock { $0.handshakes += 1 } }
  func handshakeEnded() { release { $0.handshakes -= 1 } }

  func forget() { counts.withLock { $0.held = nil } }

  /// True when reading may go on; otherwise the context is asked to read later.
  fileprivate func mayRead(_ context: ChannelHandlerContext) -> Bool {
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    return counts.withLock { counts in
      if counts.connections < maximumConnections && counts.handshakes < maximumHandshakes { return true }
      counts.held = bound
      return false
    }
  }

  private func release(_ change: (inout Counts) -> Void) {
    let held = counts.withLock { counts -> NIOLoopBound<ChannelHandlerContext>? in
      change(&counts)
      guard counts.held != nil, counts.connections < maximumConnections, counts.handshakes < maximumHandshakes else { return nil }
      defer { counts.held = nil }
      return counts.held
    }
    if let held { held.eventLoop.execute { held.value.read() } }
  }

  final class Handler: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias OutboundIn = Never
    private let gate: AcceptGate

    init(_ gate: AcceptGate) { self.gate = gate }

    func read(context: ChannelHandlerContext) {
      if gate.mayRead(context) { context.read() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { gate.forget() }
  }
}
