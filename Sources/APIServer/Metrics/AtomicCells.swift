internal import Synchronization

/// A fixed number of counters to which any thread may add without a lock.
///
/// Unchecked, since the compiler cannot see that the pointer never changes and that what it points to is atomic.
final class AtomicCells: @unchecked Sendable {
  private let cells: UnsafeMutablePointer<Atomic<UInt64>>
  let count: Int

  init(_ count: Int) {
    self.count = count
    cells = .allocate(capacity: count)
    for index in 0..<count { (cells + index).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: count)
    cells.deallocate()
  }

  func add(_ amount: UInt64 = 1, at index: Int) {
    precondition(index >= 0 && index < count)
    cells[index].add(amount, ordering: .relaxed)
  }

  subscript(_ index: Int) -> UInt64 {
    precondition(index >= 0 && index < count)
    return cells[index].load(ordering: .relaxed)
  }
}
