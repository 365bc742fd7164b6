import HTTPMessage
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import Synchronization

/// Waits for the TLS handshake, then makes room for the protocol that it chose.
final class Handshake: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  private let connection: Connection
  private let setup: ConnectionSetup
  private let tls: TLSMaterial.Snapshot
  private var timer: LazyTimer?

  init(connection: Connection, setup: ConnectionSetup, tls: TLSMaterial.Snapshot) {
    self.connection = connection
    self.setup = setup
    self.tls = tls
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let connection = self.connection
    timer = LazyTimer(loop: context.eventLoop) {
      connection.core.handshakeErrors.add(1, ordering: .relaxed)
      connection.core.logger.debug("TLS handshake timed out", metadata: ["peer": "\(connection.peer.address)"])
      connection.close()
    }
    timer?.set(connection.core.configuration.handshakeTimeout)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    guard timer != nil else { return }
    timer?.cancel()
    timer = nil
    setup.gate.handshakeEnded()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .handshakeCompleted(let negotiated) = event as? TLSUserEvent else { return context.fireUserInboundEventTriggered(event) }
    do {
      if !connection.isVerified, tls.asksForCertificates, let leaf = try context.pipeline.syncOperations.nioSSL_peerCertificate() {
        connection.identify(tls.chain(ofResumed: try leaf.toDERBytes()), by: tls)
      }
      if negotiated == "h2" { try setup.configureHTTP2(connection) } else { try setup.configureHTTP1(connection) }
      context.pipeline.syncOperations.removeHandler(self, promise: nil)
    } catch {
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    connection.core.handshakeErrors.add(1, ordering: .relaxed)
    connection.core.logger.debug("TLS handshake failed", metadata: ["peer": "\(connection.peer.address)", "error": "\(error)"])
    context.close(promise: nil)
  }
}
