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
  private(set) var isDraining = false
  /// How the negotiated protocol says goodbye; until there is one, draining just closes.
  var onDrain: (() -> Void)?
  /// Responder tasks that have not returned, those of streams that the peer has reset included.
  var responding = 0
  private var exchanges: [ObjectIdentifier: Exchange] = [:]

  init(core: ServerCore, tools: LoopTools, channel: any Channel) {
    self.core = core
    self.tools = tools
    self.channel = channel
    peer = HTTPPeer(address: channel.remoteAddress.map(Self.describe) ?? "")
  }

  var loop: any EventLoop { channel.eventLoop }

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
