import NIOCore

/// A deadline that moves often and passes seldom: moving it later costs nothing, since the running timer looks again when it fires.
/// On one event loop only. Runs `action` once per deadline set.
final class LazyTimer {
  private let loop: any EventLoop
  private let action: () -> Void
  private var deadline: NIODeadline?
  private var scheduled: Scheduled<Void>?
  private var firesAt = NIODeadline.distantFuture

  init(loop: any EventLoop, action: @escaping () -> Void) {
    self.loop = loop
    self.action = action
  }

  func set(_ duration: Duration) {
    let moment = loop.now + TimeAmount(duration)
    deadline = moment
    if scheduled == nil || firesAt > moment { arm(moment) }
  }

  /// The next firing does nothing, unless a deadline is set before.
  func clear() { deadline = nil }

  /// Also lets go of what the timer holds.
  func cancel() {
    deadline = nil
    scheduled?.cancel()
    scheduled = nil
  }

  private func arm(_ moment: NIODeadline) {
    scheduled?.cancel()
    firesAt = moment
    scheduled = loop.assumeIsolated().scheduleTask(deadline: moment) { [weak self] in self?.fired() }
  }

  private func fired() {
    scheduled = nil
    guard let deadline else { return }
    guard deadline <= loop.now else { return arm(deadline) }
    self.deadline = nil
    action()
  }
}
