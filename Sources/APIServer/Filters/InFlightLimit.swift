internal import JSON
internal import KubeWire
internal import Synchronization
internal import Translation

/// How many requests are answered at one time, those that change something and those that only read each with a limit of their own.
final class InFlightLimit: Sendable {
  enum Kind: String, CaseIterable {
    case readOnly, mutating

    init(verb: String) { self = ["get", "head", "list", "watch"].contains(verb) ? .readOnly : .mutating }
  }

  /// Room for one request: whoever works for it holds it, also when the client has its answer already, and when nobody does it is given back.
  final class Place: Sendable {
    private let kind: Kind
    private let limit: InFlightLimit
    private let holders = Atomic(1)

    fileprivate init(_ kind: Kind, _ limit: InFlightLimit) {
      self.kind = kind
      self.limit = limit
    }

    func hold() { holders.add(1, ordering: .relaxed) }

    /// Once by whoever entered, and once for each ``hold()``.
    func leave() {
      if holders.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { limit.leave(kind) }
    }
  }

  /// One kind's count, and its greatest value in the current second.
  private final class Gauge: Sendable {
    let current = Atomic(0)
    /// The second in the upper half, the value in the lower one.
    let peak = Atomic<UInt64>(0)

    func note(_ value: Int, second: UInt32) {
      let new = UInt64(second) << 32 | UInt64(UInt32(clamping: value))
      var old = peak.load(ordering: .relaxed)
      while old < new {
        let (done, found) = peak.compareExchange(expected: old, desired: new, ordering: .relaxed)
        if done { return }
        old = found
      }
    }
  }

  /// By kind; 0 for no limit.
  private let maxima: [Kind: Int]
  private let gauges: [Kind: Gauge]

  init(readOnly: Int, mutating: Int) {
    maxima = [.readOnly: readOnly, .mutating: mutating]
    gauges = Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, Gauge()) })
  }

  /// - Parameter isExempt: for system:masters, who must always get an answer.
  /// - Throws: 429 with Retry-After; nothing was done, so a client may repeat it.
  @discardableResult
  func enter(_ kind: Kind, isExempt: Bool = false, now: Timestamp) throws(StatusError) -> Place {
    let gauge = gauges[kind]!
    let value = gauge.current.add(1, ordering: .relaxed).newValue
    let maximum = maxima[kind]!
    guard maximum == 0 || value <= maximum || isExempt else {
      leave(kind)
      throw .tooManyRequests()
    }
    gauge.note(value, second: Self.second(now))
    return Place(kind, self)
  }

  private func leave(_ kind: Kind) { gauges[kind]!.current.subtract(1, ordering: .relaxed) }

  /// The most requests at one time in this second and the one before, so that a scrape does not miss all between two others.
  func recent(_ kind: Kind, now: Timestamp) -> Int {
    let gauge = gauges[kind]!
    let current = max(0, gauge.current.load(ordering: .relaxed))
    let peak = gauge.peak.load(ordering: .relaxed)
    guard UInt32(truncatingIfNeeded: peak >> 32) &+ 1 >= Self.second(now) else { return current }
    return max(current, Int(UInt32(truncatingIfNeeded: peak)))
  }

  private static func second(_ now: Timestamp) -> UInt32 { UInt32(truncatingIfNeeded: now.microseconds / 1_000_000) }
}
