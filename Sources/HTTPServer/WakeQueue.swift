import NIOCore
import Synchronization

/// Collects the wakes of one event loop's streams, so that waking 2,000 of them costs one turn of the loop, not 2,000; and holds back the
/// flushes made meanwhile, so that the events of all streams of one connection leave in one write.
final class WakeQueue: Sendable {
  private let loop: any EventLoop
  private let waiting = Mutex<[StreamWaker]>([])
  private let turn: NIOLoopBoundBox<Turn>

  private struct Turn {
    var running = false
    var heldGates: [FlushGate] = []
  }

  init(loop: any EventLoop) {
    self.loop = loop
    turn = NIOLoopBoundBox.makeBoxSendingValue(Turn(), eventLoop: loop)
  }

  /// From any thread.
  func add(_ waker: StreamWaker) {
    let first = waiting.withLock { list in
      list.append(waker)
      return list.count == 1
    }
    if first { loop.execute { self.run() } }
  }

  private func run() {
    let wakers = waiting.withLock { list in
      let taken = list
      list = []
      return taken
    }
    turn.value.running = true
    for waker in wakers { waker.run() }
    turn.value.running = false
    let gates = turn.value.heldGates
    turn.value.heldGates = []
    for gate in gates { gate.release() }
  }

  /// True when the flush waits for the end of this turn. On the loop only.
  func holds(_ gate: FlushGate) -> Bool {
    guard turn.value.running else { return false }
    turn.value.heldGates.append(gate)
    return true
  }
}

/// Wakes one stream. The stream's producer holds it; the exchange that it leads to is let go when it ends.
final class StreamWaker: @unchecked Sendable {  // `exchange` is touched on the loop only
  private let queue: WakeQueue
  private let pending = Atomic<Bool>(false)
  private let ended = Atomic<Bool>(false)
  private var exchange: Exchange?

  init(queue: WakeQueue, exchange: Exchange) {
    self.queue = queue
    self.exchange = exchange
  }

  /// From any thread, any number of times.
  func wake() {
    guard !ended.load(ordering: .relaxed), !pending.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.add(self)
  }

  func run() {
    // Cleared first: a wake that comes while the stream is being asked must lead to another turn.
    pending.store(false, ordering: .sequentiallyConsistent)
    exchange?.pump()
  }

  func end() {
    ended.store(true, ordering: .relaxed)
    exchange = nil
  }
}

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
