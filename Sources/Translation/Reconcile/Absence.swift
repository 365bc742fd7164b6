internal import AdapterKit
internal import JSON

/// Runs that may be gone. Absence is evidence, not proof (design §5): the run's own GET has to say 404 while its parent is readable.
struct Absence: Sendable {
  enum Proof: Sendable, Equatable {
    /// The direct read is asked for.
    case asked
    /// It said 404 at this moment; the parent is asked for.
    case missing(at: Timestamp)
  }

  /// Many runs missing at once: more likely a filter, a permission or a bug than so many deletions.
  struct Shrink: Sendable, Equatable {
    let since: Timestamp
    /// Complete sweeps in a row whose samples were all 404.
    var confirmedSweeps = 0
    var missing: Int
    /// Samples of this round that are not answered yet.
    var samples: Set<RunKey> = []
    var accepted = false
  }

  /// The parent has to be readable within this time after the 404.
  static let parentTime = Duration.seconds(60)

  private(set) var proofs: [RunKey: Proof] = [:]
  var shrink: Shrink?

  /// Of these missing runs, which are to be read now: all, or samples where they are suspiciously many.
  ///
  /// - Parameter missing: in the order of their keys.
  mutating func judge(missing: [RunKey], of total: Int, now: Timestamp) -> [RunKey] {
    guard missing.count > max(ReconcilerSettings.shrinkFloor, total / 10) else {
      shrink = nil
      return missing.filter { ask($0) }
    }
    var shrink = self.shrink ?? Shrink(since: now, missing: missing.count)
    shrink.missing = missing.count
    if shrink.accepted || shrink.confirmedSweeps >= ReconcilerSettings.shrinkSweeps && now - shrink.since >= ReconcilerSettings.shrinkTime {
      shrink.accepted = true
      self.shrink = shrink
      return missing.filter { ask($0) }
    }
    let step = max(1, missing.count / ReconcilerSettings.shrinkSamples)
    let samples = stride(from: 0, to: missing.count, by: step).prefix(ReconcilerSettings.shrinkSamples).map { missing[$0] }
    shrink.samples = Set(samples)
    self.shrink = shrink
    return samples
  }

  private mutating func ask(_ key: RunKey) -> Bool {
    guard proofs[key] == nil else { return false }
    proofs[key] = .asked
    return true
  }

  /// The engine itself names a run as deleted.
  mutating func named(_ key: RunKey) -> Bool { ask(key) }

  /// - Returns: true when the parent has to be asked for.
  mutating func missing(_ key: RunKey, now: Timestamp) -> Bool {
    if shrink?.samples.remove(key) != nil, shrink?.samples.isEmpty ?? false { shrink?.confirmedSweeps += 1 }
    guard proofs[key] == .asked else { return false }
    proofs[key] = .missing(at: now)
    return true
  }

  /// Some call that began then saw the run: a 404 from before is history.
  mutating func sighted(_ key: RunKey, at moment: Timestamp) {
    if case .missing(let at)? = proofs[key], moment > at { found(key) }
  }

  /// The run answered: it is there.
  mutating func found(_ key: RunKey) {
    proofs[key] = nil
    guard shrink?.samples.contains(key) ?? false else { return }
    shrink?.samples = []
    shrink?.confirmedSweeps = 0
  }

  /// - Returns: true when the run is proven gone.
  mutating func parent(_ key: RunKey, isReadable: Bool, now: Timestamp) -> Bool {
    guard case .missing(let at)? = proofs.removeValue(forKey: key) else { return false }
    return isReadable && now - at <= Self.parentTime
  }

  /// Nothing could be learnt of it now; the next sweep asks again.
  mutating func giveUp(_ key: RunKey) {
    proofs[key] = nil
    if shrink?.samples.contains(key) ?? false { shrink?.samples = [] }
  }

  func concerns(_ key: RunKey) -> Bool { proofs[key] != nil || shrink?.samples.contains(key) ?? false }
}
