import Glibc

/// Lets threads wait until a test says go on; each `open` lets one `wait` through.
package final class Gate: @unchecked Sendable {
  // POSIX semaphores may be used from any thread.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  package init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Blocks the thread: not for code that runs in a task.
  package func wait() { while sem_wait(semaphore) != 0 {} }

  package func open() { sem_post(semaphore) }
}
