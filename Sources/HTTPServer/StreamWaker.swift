import Synchronization

/// Wakes one stream. The stream's producer holds it; the exchange that it leads to is touched on its loop only, and let go when it ends.
final class StreamWaker: @unchecked Sendable {
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
