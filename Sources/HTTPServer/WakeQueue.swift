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
