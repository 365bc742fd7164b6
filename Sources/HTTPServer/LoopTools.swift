import Glibc
import NIOCore

/// What the connections of one event loop share.
final class LoopTools: Sendable {
  let loop: any EventLoop
  let wakes: WakeQueue
  private let clock: NIOLoopBoundBox<(second: time_t, text: String)>

  init(loop: any EventLoop) {
    self.loop = loop
    wakes = WakeQueue(loop: loop)
    clock = NIOLoopBoundBox.makeBoxSendingValue((0, ""), eventLoop: loop)
  }

  /// The value of a Date header (RFC 9110 5.6.7), made once a second. On the loop only.
  var date: String {
    let now = time(nil)
    if clock.value.second != now { clock.value = (now, Self.format(now)) }
    return clock.value.text
  }

  static func format(_ moment: time_t) -> String {
    var moment = moment
    var parts = tm()
    gmtime_r(&moment, &parts)
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
    return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}

extension EventLoopPromise<Void>? {
  /// Nothing can be written any more.
  func fail() { self?.fail(ChannelError.ioOnClosedChannel) }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .nanoseconds(seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue &+ attoseconds / 1_000_000_000)
  }
}
