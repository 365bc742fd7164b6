internal import AdapterKit
internal import JSON

/// What an observation did to a known run.
struct MergeResult: Sendable {
  /// Anything that the object is made of changed.
  var changed = false
  var coreChanged = false
  var envelopeChanged = false
  /// The engine seems to have started it again, but only a direct read can tell.
  var needsConfirmation = false
  /// Two overlapping reads saw different things: a fresh one decides.
  var needsRefresh = false
}

extension KnownRun {
  /// Takes over what is newer in an observation, facet by facet (design §5: order, attempts).
  mutating func merge(_ observed: Observed) -> MergeResult {
    var observed = observed
    settle(&observed.observation)
    let seen = observed.observation
    var result = MergeResult()
    lastSeen = max(lastSeen, observed.began)
    let stepsBefore = stepsFacet.value
    if mergeCore(observed, &result) { take(seen.steps, from: observed, into: \.stepsFacet, &result) }
    if stepsFacet.value != stepsBefore { result.changed = true }
    let envelopeBefore = envelopeFacet.value
    take(seen.envelope, from: observed, into: \.envelopeFacet, &result)
    result.envelopeChanged = envelopeFacet.value != envelopeBefore
    take(seen.overlay, from: observed, into: \.overlayFacet, &result)
    return result
  }

  /// Engines may tell the members of a document in another order each time: that is no change.
  private func settle(_ seen: inout Observation) {
    seen.envelope = Self.settled(seen.envelope, envelopeFacet.value)
    seen.overlay = Self.settled(seen.overlay, overlayFacet.value)
    if case .present(var core) = seen.core, let parameters = core.parameters, let known = self.core?.parameters, parameters != known,
      parameters.canonical == known.canonical
    {
      core.parameters = known
      seen.core = .present(core)
    }
  }

  private static func settled(_ seen: Facet<JSONValue>, _ known: Facet<JSONValue>) -> Facet<JSONValue> {
    guard case .present(let new) = seen, case .present(let old) = known, new != old, new.canonical == old.canonical else { return seen }
    return known
  }

  /// - Returns: false when the observation is of an older try or state, so that its steps are worth nothing either.
  private mutating func mergeCore(_ observed: Observed, _ result: inout MergeResult) -> Bool {
    let seen = observed.observation
    switch Self.compare(seen.attempt, with: attempt) {
    case .older: return false
    case .newer:
      attemptCount = max(attemptCount + 1, Self.count(seen.attempt) ?? 0)
      attempt = seen.attempt
      order = seen.order
      result.changed = true
      stepsFacet = KnownFacet()
      if seen.core != .unseen {
        set(seen.core, from: observed, into: \.coreFacet)
        isRebuild = seen.isRebuild
        result.coreChanged = true
      }
      return true
    case .same: break
    }
    guard seen.core != .unseen else { return true }
    switch verdict(on: seen.core, of: observed, order: seen.order) {
    case .drop: return false
    case .conflict:
      result.needsRefresh = true
      return false
    case .apply: break
    }
    if let core, core.phase.isTerminal, case .present(let new) = seen.core, !new.phase.isTerminal {
      guard seen.attempt == .unknown else { return false }
      guard observed.source != .list else {
        result.needsConfirmation = true
        return false
      }
      attemptCount += 1
      stepsFacet = KnownFacet()
      // Which one it is will be told later, and is then not a further one.
      attempt = .unknown
    }
    if seen.attempt != .unknown { attempt = seen.attempt }
    order = seen.order ?? order
    if coreFacet.value != seen.core || isRebuild != seen.isRebuild {
      result.changed = true
      result.coreChanged = true
    }
    isRebuild = seen.isRebuild
    set(seen.core, from: observed, into: \.coreFacet)
    return true
  }

  private enum Verdict { case apply, drop, conflict }

  /// The engine's order decides where there is one, else the times of the calls.
  private func verdict(on value: Facet<RunCore>, of observed: Observed, order seen: EngineOrder?) -> Verdict {
    if coreFacet.isSeen, let seen, let order, seen != order {
      if seen > order { return .apply }
      if seen < order { return .drop }
    }
    return Self.verdict(value, observed, coreFacet)
  }

  private static func verdict<Value>(_ value: Facet<Value>, _ observed: Observed, _ applied: KnownFacet<Value>) -> Verdict {
    guard applied.isSeen, observed.began < applied.ended else { return .apply }
    guard observed.ended > applied.began else { return .drop }
    switch (observed.source == .write, applied.source == .write) {
    case (true, false): return .apply
    case (false, true): return .drop
    case (true, true): return observed.ended >= applied.ended ? .apply : .drop
    case (false, false): return value == applied.value ? .drop : .conflict
    }
  }

  private mutating func take<Value>(
    _ value: Facet<Value>, from observed: Observed, into path: WritableKeyPath<KnownRun, KnownFacet<Value>>, _ result: inout MergeResult
  ) {
    guard value != .unseen else { return }
    switch Self.verdict(value, observed, self[keyPath: path]) {
    case .drop: return
    case .conflict: result.needsRefresh = true
    case .apply:
      if self[keyPath: path].value != value { result.changed = true }
      set(value, from: observed, into: path)
    }
  }

  private mutating func set<Value>(_ value: Facet<Value>, from observed: Observed, into path: WritableKeyPath<KnownRun, KnownFacet<Value>>)
  {
    self[keyPath: path].value = value
    self[keyPath: path].began = observed.began
    self[keyPath: path].ended = observed.ended
    self[keyPath: path].source = observed.source
  }

  private enum Comparison { case older, same, newer }

  private static func compare(_ seen: Attempt, with known: Attempt) -> Comparison {
    switch (seen, known) {
    case (.number(let a), .number(let b)): a == b ? .same : a < b ? .older : .newer
    case (.since(let a), .since(let b)): a == b ? .same : a < b ? .older : .newer
    default: .same
    }
  }
}
