import NIOCore

/// Counts, in windows of 30 s, the streams of a connection and those of them that the peer took back before they had an answer.
struct ResetAccount {
  private let maximumUnanswered: Int
  private var windowEnd = NIODeadline.uptimeNanoseconds(0)
  private var opened = 0
  private var unanswered = 0

  static let window = TimeAmount.seconds(30)

  init(maximumUnanswered: Int) { self.maximumUnanswered = maximumUnanswered }

  mutating func opened(at now: NIODeadline) {
    roll(now)
    opened += 1
  }

  /// True when the connection is to be ended.
  mutating func unanswered(at now: NIODeadline) -> Bool {
    roll(now)
    unanswered += 1
    return unanswered > maximumUnanswered && unanswered * 2 > opened
  }

  private mutating func roll(_ now: NIODeadline) {
    guard now >= windowEnd else { return }
    windowEnd = now + Self.window
    (opened, unanswered) = (0, 0)
  }
}
