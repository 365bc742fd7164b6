import HTTPMessage
import Logging
import NIOCore
import Synchronization

/// What all connections of one server share.
final class ServerCore: Sendable {
  let configuration: HTTPServerConfiguration
  let responder: any HTTPResponder
  let logger: Logger
  let budget: RequestBudget
  /// Requests whose responder has not answered yet, those of vanished peers included.
  let responding = Atomic<Int>(0)
  /// TLS handshakes that failed or were not finished in time.
  let handshakeErrors = Atomic<Int>(0)
  private let state = Mutex(State())

  private struct State {
    var draining = false
    var connections: [ObjectIdentifier: NIOLoopBound<Connection>] = [:]
    var emptied: EventLoopPromise<Void>?
  }

  init(configuration: HTTPServerConfiguration, responder: any HTTPResponder, logger: Logger) {
    self.configuration = configuration
    self.responder = responder
    self.logger = logger
    budget = RequestBudget(maximum: configuration.maximumUnfinishedBytes)
  }

  var isDraining: Bool { state.withLock { $0.draining } }
  var connectionCount: Int { state.withLock { $0.connections.count } }

  func add(_ connection: Connection) {
    let bound = NIOLoopBound(connection, eventLoop: connection.loop)
    let id = ObjectIdentifier(connection)
    state.withLock { $0.connections[id] = bound }
  }

  func remove(_ connection: Connection) {
    let emptied = state.withLock { state -> EventLoopPromise<Void>? in
      state.connections[ObjectIdentifier(connection)] = nil
      guard state.connections.isEmpty else { return nil }
      defer { state.emptied = nil }
      return state.emptied
    }
    emptied?.succeed()
  }

  /// Asks every connection to end cleanly. The promise succeeds when the last one has gone.
  func drain(emptied: EventLoopPromise<Void>) {
    let connections = state.withLock { state in
      state.draining = true
      if !state.connections.isEmpty { state.emptied = emptied }
      return Array(state.connections.values)
    }
    if connections.isEmpty { emptied.succeed() }
    for connection in connections { connection.execute { $0.drain() } }
  }

  /// Cuts what is left.
  func cut() {
    for connection in state.withLock({ Array($0.connections.values) }) { connection.execute { $0.close() } }
  }
}

extension NIOLoopBound {
  fileprivate func execute(_ body: @escaping @Sendable (Value) -> Void) { eventLoop.execute { body(self.value) } }
}
