internal import AdapterKit
internal import JSON

/// How far an engine's clock is from ours, as far as its runs tell; greater than zero where it is ahead.
///
/// Exactly known from answers to our own submissions. Before the first of these (after a restart), three runs with different envelopes whose times of
/// creation and submission differ by the same are believed, if no run of the binding was made when its envelope says, and if they differ by at most
/// ``longestGuess``: people who repeat runs copy envelopes, too, and do so at the same hour of each day. When the first complete sweep has ended and no
/// more runs can come, fewer are believed (``settle()``). An engine that is further off loses the names of its runs from a restart of the gateway to the
/// next submission, unless its runs are known by their keys.
struct EngineClock: Sendable {
  /// A run is made within this time of its submission.
  static let tolerance = Duration.seconds(300)
  /// More than an error of the time zone.
  static let longestGuess = Duration.seconds(15 * 3600)
  /// Differences that are the same.
  private static let grain = Duration.seconds(60)
  private static let votesNeeded = 3
  /// Clocks are set right: runs from before keep their times.
  private static let keptOffsets = 4

  /// Distinct ones; the latest last.
  private var offsets: [Duration] = []
  /// The least difference per envelope: copies are made later than what they copy. Only until one is known.
  private var votes: [String: Duration] = [:]
  private var isTrustedAsIs = false

  /// Whether the difference, or that there is none, is more than an assumption.
  var isKnown: Bool { isTrustedAsIs || !offsets.isEmpty }

  /// To be taken from the engine's times.
  var offset: Duration { offsets.last ?? .zero }

  /// Whether a run can have been made for an envelope.
  func fits(created: Timestamp, submitted: Timestamp) -> Bool {
    let difference = created - submitted
    if Self.isWithin(Self.tolerance, difference, .zero) { return true }
    return offsets.contains { Self.isWithin(Self.tolerance, difference, $0) }
  }

  /// The answer to a submission. - Returns: true when other runs may be judged differently now.
  mutating func submitted(created: Timestamp, began: Timestamp, ended: Timestamp) -> Bool {
    let difference = created < began ? created - began : created > ended ? created - ended : .zero
    votes = [:]
    isTrustedAsIs = true
    let offset = Self.isWithin(Self.grain, difference, .zero) ? .zero : difference
    guard !Self.isWithin(Self.grain, offset, self.offset) else { return false }
    return learn(offset)
  }

  /// A row of a run that carries an envelope of ours. - Returns: as ``submitted(created:began:ended:)``.
  mutating func saw(_ uid: String, created: Timestamp, submitted: Timestamp) -> Bool {
    guard !isTrustedAsIs, offsets.isEmpty else { return false }
    let difference = created - submitted
    if Self.isWithin(Self.tolerance, difference, .zero) {
      votes = [:]
      isTrustedAsIs = true
      return false
    }
    guard Self.isWithin(Self.longestGuess, difference, .zero) else { return false }
    votes[uid] = min(votes[uid] ?? difference, difference)
    guard let vote = votes[uid], votes.values.count(where: { Self.isWithin(Self.grain, $0, vote) }) >= Self.votesNeeded else {
      // So many and no two alike: these are copies.
      if votes.count > 1000 { isTrustedAsIs = true }
      return false
    }
    votes = [:]
    return learn(vote)
  }

  /// All runs that there are have been seen. What most of them say is believed then, however few they are; of several differences the least, because
  /// copies are made later than what they copy.
  ///
  /// Three and no two alike are copies whose originals are gone: runs of ours would agree. - Returns: as ``submitted(created:began:ended:)``.
  mutating func settle() -> Bool {
    guard !isKnown else { return false }
    let support = votes.values.map { vote in (vote: vote, count: votes.values.count { Self.isWithin(Self.grain, $0, vote) }) }
    guard let best = support.min(by: { $0.count == $1.count ? $0.vote < $1.vote : $0.count > $1.count }),
      best.count > 1 || votes.count < Self.votesNeeded
    else { return false }
    votes = [:]
    return learn(best.vote)
  }

  private mutating func learn(_ offset: Duration) -> Bool {
    offsets.removeAll { Self.isWithin(Self.grain, $0, offset) }
    offsets.append(offset)
    if offsets.count > Self.keptOffsets { offsets.removeFirst() }
    return true
  }

  private static func isWithin(_ limit: Duration, _ a: Duration, _ b: Duration) -> Bool { a - b <= limit && b - a <= limit }
}
