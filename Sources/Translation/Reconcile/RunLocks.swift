internal import AdapterKit
internal import Synchronization

/// One lock per run, first come, first served: no read of a run begins during a write to it, and at most one read is under way.
final class RunLocks: Sendable {
  /// Runs that are locked, with who waits for them.
  private let waiting = Mutex<[RunKey: [CheckedContinuation<Void, Never>]]>([:])

  func acquire(_ key: RunKey) async {
    await withCheckedContinuation { continuation in
      let isFree = waiting.withLock { waiting in
        if waiting[key] == nil {
          waiting[key] = []
          return true
        }
        waiting[key]?.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  func release(_ key: RunKey) {
    let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
      guard let queue = waiting[key], !queue.isEmpty else {
        waiting[key] = nil
        return nil
      }
      return waiting[key]?.removeFirst()
    }
    next?.resume()
  }
}
