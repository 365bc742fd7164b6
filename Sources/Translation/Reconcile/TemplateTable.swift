internal import AdapterKit
internal import JSON

/// A binding's templates, and which of them may be gone. No single one can be asked for, so what is missing has to be missing for a while; and many that
/// are missing at once are more likely a filter, a permission or a bug than so many deletions, as with runs (``Absence/Shrink``).
struct TemplateTable: Sendable {
  private struct Entry: Sendable {
    var template: EngineTemplate
    /// Since when readings that count do not have it.
    var missingSince: Timestamp?
  }

  struct Hold: Sendable, Equatable {
    let since: Timestamp
    var missing: Int
    var readings = 0
    var accepted = false
  }

  private var known: [String: Entry] = [:]
  private(set) var hold: Hold?
  /// The last reading that said something about absence.
  private var lastJudged: Timestamp?

  var count: Int { known.count }

  /// Takes in a reading of all templates.
  ///
  /// - Parameters:
  ///   - mayRemove: false when it is incomplete, or was made because somebody looks for a template: then it only adds.
  ///   - interval: between readings; only those that are so far apart count.
  /// - Returns: what is there, as far as is known.
  mutating func take(_ reading: [EngineTemplate], mayRemove: Bool, interval: Duration, now: Timestamp) -> [EngineTemplate] {
    var seen: Set<String> = []
    var all: [EngineTemplate] = []
    for template in reading where seen.insert(template.name).inserted {
      known[template.name] = Entry(template: template)
      all.append(template)
    }
    // Intervals are drawn up to a tenth shorter.
    let spacing = interval * 0.9
    if mayRemove, hold?.accepted ?? false || lastJudged.map({ now - $0 >= spacing }) ?? true {
      lastJudged = now
      judge(seen, spacing, now)
    }
    return all + known.filter { !seen.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value.template)
  }

  private mutating func judge(_ seen: Set<String>, _ spacing: Duration, _ now: Timestamp) {
    let missing = known.keys.filter { !seen.contains($0) }
    for name in missing where known[name]?.missingSince == nil { known[name]?.missingSince = now }
    if missing.count > max(ReconcilerSettings.templateShrinkFloor, known.count / 10) || !missing.isEmpty && seen.isEmpty {
      var hold = self.hold ?? Hold(since: now, missing: 0)
      hold.missing = missing.count
      hold.readings += 1
      let isOld = hold.readings >= ReconcilerSettings.shrinkSweeps && now - hold.since >= ReconcilerSettings.shrinkTime
      self.hold = hold
      guard isOld || hold.accepted else { return }
    }
    let isConfirmed = hold?.accepted ?? false
    hold = nil
    for name in missing { if isConfirmed || known[name]?.missingSince.map({ now - $0 >= spacing }) ?? false { known[name] = nil } }
  }

  /// The operator confirms that they are really gone.
  mutating func acceptHold() { hold?.accepted = true }
}
