import AdapterKit
import Synchronization

/// The drivers of one transport. Requests go to the newest. One whose connections have gone silent is replaced, since libcurl would put every
/// later request on the same HTTP/2 connection; it ends when its last transfer has.
final class DriverGenerations: Sendable {
  private struct State {
    /// nil after the shutdown.
    var current: CurlDriver?
    var older: [CurlDriver] = []
  }

  private let configuration: CurlConfiguration
  private let state = Mutex(State())

  init(_ configuration: CurlConfiguration) {
    self.configuration = configuration
    let first = makeDriver()
    state.withLock { $0.current = first }
  }

  /// Hands a transfer to the newest driver. False after the shutdown: then nobody has it.
  func add(_ transfer: Transfer) -> Bool {
    while let driver = state.withLock({ $0.current }) {
      transfer.assign(driver)
      if driver.post(.add(transfer)) { return true }
      // It was replaced and has ended between the two.
    }
    return false
  }

  func shutdown() {
    let all = state.withLock { state in
      defer { state = State() }
      return state.older + [state.current].compactMap { $0 }
    }
    for driver in all { driver.post(.shutdown) }
  }

  private func makeDriver() -> CurlDriver {
    let driver = CurlDriver(configuration, onSilence: { [weak self] in self?.replace($0) }, onEnd: { [weak self] in self?.remove($0) })
    driver.start()
    return driver
  }

  private func replace(_ driver: CurlDriver) {
    guard state.withLock({ $0.current === driver }) else { return }
    let next = makeDriver()
    let isWanted = state.withLock { state in
      guard state.current === driver else { return false }
      state.current = next
      state.older.append(driver)
      return true
    }
    if !isWanted { next.post(.shutdown) }
  }

  private func remove(_ driver: CurlDriver) { state.withLock { $0.older.removeAll { $0 === driver } } }
}
