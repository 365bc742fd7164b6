import HTTPMessage
import NIOCore

/// One accepted connection, on its event loop.
final class Connection {
  let core: ServerCore
  let tools: LoopTools
  let channel: any Channel
  var peer: HTTPPeer
  /// Whether TLS asked us about the peer's certificate.
  var isVerified = false
  /// What TLS showed us (DER, leaf first); empty without a client certificate.
  private var chain: [[UInt8]] = []
  private var identifiedBy: TLSMaterial.Snapshot?
  private var identifiedAt = NIODeadline.now()
  private(set) var isDraining = false
  /// The server ends, also when this connection has not been told yet.
  var mustEnd: Bool { isDraining || core.isDraining }
  /// How the negotiated protocol says goodbye; until there is one, draining just closes.
  var onDrain: (() -> Void)?
  /// Responder tasks that have not returned, those of streams that the peer has reset included.
  var responding = 0
  /// What its unfinished requests hold, and whether they do so as those of a verified peer. Only `BudgetHold` changes them.
  var unfinishedBytes = 0
  var holdsAsVerified = false
  private var exchanges: [ObjectIdentifier: Exchange] = [:]

  init(core: ServerCore, tools: LoopTools, channel: any Channel) {
    self.core = core
    self.tools = tools
    self.channel = channel
    peer = HTTPPeer(address: channel.remoteAddress.map(Self.describe) ?? "")
  }

  var loop: any EventLoop { channel.eventLoop }

  /// Takes the peer's certificate chain, as TLS showed it.
  func identify(_ chain: [[UInt8]], by tls: TLSMaterial.Snapshot) {
    self.chain = chain
    identifiedBy = tls
    identifiedAt = .now()
    peer.certificate = tls.identify(chain)
    peer.hasUnknownCertificate = peer.certificate == nil && !chain.isEmpty
  }

  /// Who the peer is for a request that begins now. A kube-apiserver keeps its connections for days: the certificate must not have expired
  /// since, and its CA must still be one of ours. So it is verified again with new CAs, and after a minute.
  func currentPeer() -> HTTPPeer {
    if !chain.isEmpty, let tls = core.configuration.tls?.current, tls !== identifiedBy || .now() - identifiedAt > .minutes(1) {
      identify(chain, by: tls)
    }
    return peer
  }

  func add(_ exchange: Exchange) { exchanges[ObjectIdentifier(exchange)] = exchange }
  func remove(_ exchange: Exchange) { exchanges[ObjectIdentifier(exchange)] = nil }

  /// Takes no further request, lets open streams end, then closes.
  func drain() {
    guard !isDraining else { return }
    isDraining = true
    guard let onDrain else { return close() }
    onDrain()
    for exchange in exchanges.values { exchange.finish() }
  }

  func close() { channel.close(mode: .all, promise: nil) }

  private static func describe(_ address: SocketAddress) -> String {
    guard let ip = address.ipAddress, let port = address.port else { return "" }
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }
}
