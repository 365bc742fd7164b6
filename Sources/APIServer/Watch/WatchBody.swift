internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import Synchronization
internal import Translation

/// The body of a watch's answer: one JSON object per event, each ended by a line feed, until the time is up (kubernetes-wire §6).
final class WatchBody: HTTPBodyStream {
  struct Settings: Sendable {
    /// When the body ends, cleanly.
    var end: Timestamp
    /// nil for a client that did not ask for bookmarks.
    var bookmarkInterval: Duration?
  }

  private struct State: Sendable {
    var nextBookmark: Timestamp?
    var isEnding = false
    var hasEnded = false
  }

  /// Bookmarks come once more so long before the end, since the client will go on from there.
  private static let lastBookmark = Duration.seconds(2)
  /// Bytes that are handed over at one time when there are many events.
  private static let batch = 64 << 10

  private let source: any WatchSource
  private let settings: Settings
  private let clock: any TimeSource
  private let events: WatchEventEncoder
  private let encoder: @Sendable (Timestamp) -> ObjectEncoder
  private let state: Mutex<State>

  init(
    _ source: any WatchSource, settings: Settings, clock: any TimeSource, events: WatchEventEncoder,
    encoder: @escaping @Sendable (Timestamp) -> ObjectEncoder
  ) {
    self.source = source
    self.settings = settings
    self.clock = clock
    self.events = events
    self.encoder = encoder
    state = Mutex(State(nextBookmark: settings.bookmarkInterval.map { min(clock.now + $0, settings.end - Self.lastBookmark) }))
  }

  func start(wake: @escaping @Sendable () -> Void) { source.start(wake: wake) }

  func cancel() { source.cancel() }

  func finish() { state.withLock { $0.isEnding = true } }

  func next() -> HTTPBodyStep {
    let now = clock.now
    if state.withLock({ $0.isEnding || $0.hasEnded }) || now >= settings.end { return end() }
    let encoder = encoder(now)
    var bytes: [UInt8] = []
    while true {
      switch source.next(limit: 64) {
      case .events(let list):
        if list.count == 1, bytes.isEmpty {
          // The usual case: the shared bytes go out as they are.
          bytes = events.line(list[0], encoder)
        } else {
          for event in list { bytes += events.line(event, encoder) }
        }
        if bytes.count >= Self.batch || list.count < 64 { return .bytes(bytes) }
      case .initialEventsEnd(let version):
        // Without allowWatchBookmarks the end is not told (kubernetes-wire W15).
        if settings.bookmarkInterval != nil {
          return .bytes(bytes + WatchEventEncoder.line("BOOKMARK", encoder.bookmark(version: version, isInitialEnd: true)))
        }
      case .expired(let floor, let requested):
        state.withLock { $0.isEnding = true }
        let status = StatusError.tooOldResourceVersion(requested: requested, oldest: floor).status
        return .bytes(bytes + WatchEventEncoder.line("ERROR", status.json))
      case .ended: return bytes.isEmpty ? end() : endAfter(bytes)
      case .wait:
        if !bytes.isEmpty { return .bytes(bytes) }
        return dueBookmark(now, encoder).map { .bytes($0) } ?? .wait(timeLeft(now))
      }
    }
  }

  private func end() -> HTTPBodyStep {
    if state.withLock({ state in
      defer { state.hasEnded = true }
      return !state.hasEnded
    }) {
      source.cancel()
    }
    return .end
  }

  private func endAfter(_ bytes: [UInt8]) -> HTTPBodyStep {
    state.withLock { $0.isEnding = true }
    return .bytes(bytes)
  }

  private func dueBookmark(_ now: Timestamp, _ encoder: ObjectEncoder) -> [UInt8]? {
    guard let interval = settings.bookmarkInterval else { return nil }
    let isDue = state.withLock { state in
      guard let due = state.nextBookmark, now >= due else { return false }
      let last = settings.end - Self.lastBookmark
      state.nextBookmark = now >= last ? nil : min(now + interval, last)
      return true
    }
    // 0 means that the initial state was not told completely yet: a bookmark would be a lie.
    let version = source.currentVersion
    guard isDue, version > 0 else { return nil }
    return WatchEventEncoder.line("BOOKMARK", encoder.bookmark(version: version, isInitialEnd: false))
  }

  private func timeLeft(_ now: Timestamp) -> Duration {
    let next = state.withLock { $0.nextBookmark } ?? settings.end
    return max(.milliseconds(1), min(next, settings.end) - now)
  }
}
