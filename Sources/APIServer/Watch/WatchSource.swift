internal import Translation

/// Where a watch's events come from: Translation's ``Watch``, or a list of steps in a test.
protocol WatchSource: AnyObject, Sendable {
  func start(wake: @escaping @Sendable () -> Void)
  func next(limit: Int) -> WatchStep
  var currentVersion: UInt64 { get }
  func cancel()
}

extension Watch: WatchSource {}
