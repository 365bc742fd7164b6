internal import AdapterKit

/// Which runs are to be read one by one, and why. At most one read per run is under way.
struct GetQueue: Sendable {
  struct Reasons: OptionSet, Sendable {
    let rawValue: UInt8
    /// Something has to be known: envelope, confirmation, overlapping reads.
    static let needed = Reasons(rawValue: 1)
    /// It is missing from a sweep, or the engine says that it is gone.
    static let absence = Reasons(rawValue: 2)
    /// It is active, or its steps are older than its state.
    static let detail = Reasons(rawValue: 4)
  }

  private var urgent: [RunKey] = []
  private var patient: [RunKey] = []
  private(set) var reasons: [RunKey: Reasons] = [:]
  private(set) var inFlight: Set<RunKey> = []

  var isEmpty: Bool { urgent.isEmpty && patient.isEmpty }

  mutating func add(_ key: RunKey, _ reason: Reasons) {
    let isWaiting = reasons[key] != nil
    reasons[key, default: []].insert(reason)
    guard !isWaiting else { return }
    if !reason.contains(.needed) { patient.append(key) } else { urgent.append(key) }
  }

  /// The next run to read; nil when there is none, or all that wait are being read.
  mutating func next() -> RunKey? {
    if let key = take(&urgent) ?? take(&patient) {
      inFlight.insert(key)
      reasons[key] = nil
      return key
    }
    return nil
  }

  private func firstIdle(_ keys: [RunKey]) -> Int? { keys.firstIndex { !inFlight.contains($0) && reasons[$0] != nil } }

  private func take(_ keys: inout [RunKey]) -> RunKey? {
    while let first = keys.first, reasons[first] == nil { keys.removeFirst() }
    return firstIdle(keys).map { keys.remove(at: $0) }
  }

  mutating func ended(_ key: RunKey) { inFlight.remove(key) }

  mutating func drop(_ key: RunKey) { reasons[key] = nil }

  /// Forgets what is only nice to have; for an engine that fails.
  mutating func dropDetails() { for (key, reason) in reasons where reason == .detail { reasons[key] = nil } }
}
