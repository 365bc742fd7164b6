import NIOCore

/// Sits next to the socket (or TLS) and holds flushes back while its loop's wakes run.
final class FlushGate: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let wakes: WakeQueue
  private var context: ChannelHandlerContext?
  private var held = false

  init(wakes: WakeQueue) { self.wakes = wakes }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func flush(context: ChannelHandlerContext) {
    if held { return }
    held = wakes.holds(self)
    if !held { context.flush() }
  }

  func release() {
    held = false
    context?.flush()
  }
}
