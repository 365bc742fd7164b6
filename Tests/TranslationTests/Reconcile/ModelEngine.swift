import AdapterKit
import JSON
import OrderedCollections

@testable import Translation

/// An engine without time of its own: what is in it is what its calls show.
struct ModelEngine {
  struct Run {
    var phase = RunPhase.running
    var raw = "r0"
    var attempt: Int64 = 1
    var changed = 0
    var created = at(0)
    var finished: Timestamp?
    var envelope: Facet<JSONValue> = .absent
    /// As far as it comes with the run.
    var overlay: Facet<JSONValue> = .unseen
    var steps = 0
    /// Ids are given again after a deletion; identities never.
    var life = 0
  }

  var runs: [String: Run] = [:]
  var deleted: [(id: String, change: Int)] = []
  /// Counts changes; the mark of incremental listing.
  var change = 0
  var pageSize = 10
  /// Pages are cut by a position, so that a deletion moves the rows behind it.
  var isPagedByOffset = false
  /// Active runs first, then finished ones, in two lists.
  var listsFinishedApart = false
  var templates: [String] = []
  var unreadableTemplates: [String] = []
  var templatesAreRefused = false
  var isDown = false
  /// Not in lists although they are there: a wrong filter, a lost permission.
  var unlisted: Set<String> = []
  /// 404 although they are there: the parent cannot be seen.
  var unseen: Set<String> = []
  var parentIsReadable = true
  var unreadableRows: [String] = []
  /// Marks from before this change are answered with an incomplete page, or refused.
  var oldestMark = 0
  var refusesOldMarks = false
  /// Rows do not tell the envelope; direct reads do.
  var rowsLackEnvelope = false
  /// By uid, where they are kept apart from the runs.
  var overlays: [String: JSONValue] = [:]
  var calls: [String: Int] = [:]

  mutating func set(_ id: String, _ change: (inout Run) -> Void) {
    self.change += 1
    var run = runs[id] ?? Run(life: deleted.count)
    change(&run)
    run.changed = self.change
    runs[id] = run
  }

  mutating func delete(_ id: String) {
    change += 1
    runs[id] = nil
    deleted.append((id, change))
  }

  func observation(_ id: String, _ run: Run, isRow: Bool) -> Observation {
    Observation(
      key: RunKey(id: id), identity: "\(id)#\(run.life)", attempt: .number(run.attempt), order: .sequence(Int64(run.changed)),
      core: .present(RunCore(phase: run.phase, rawState: run.raw, createdAt: run.created, finishedAt: run.finished)),
      envelope: isRow && rowsLackEnvelope ? .unseen : run.envelope, overlay: run.overlay,
      steps: isRow ? .unseen : .present((0..<run.steps).map { RunStep(name: "s\($0)", phase: .running, rawState: "") }))
  }

  private var failure: AdapterError? { isDown ? AdapterError(.unavailable, "connection refused") : nil }

  mutating func page(since: Timestamp, cursor: JSONValue?) -> Result<RunPage, AdapterError> {
    calls["list", default: 0] += 1
    if let failure { return .failure(failure) }
    let finished = cursor?["finished"]?.bool ?? false
    let from = cursor?["from"]?.string ?? ""
    let offset = Int(cursor?["offset"]?.int ?? 0)
    let all = runs.keys.filter {
      $0 > from && !unlisted.contains($0) && (runs[$0]?.finished ?? since) >= since
        && (!listsFinishedApart || runs[$0]?.phase.isTerminal == finished)
    }
    let ids = all.sorted().dropFirst(offset)
    let page = ids.prefix(pageSize)
    let position: JSONValue? = ids.count <= pageSize ? .none : isPagedByOffset ? .int(Int64(offset + page.count)) : .string(page.last!)
    let next: JSONValue? = position.map { [isPagedByOffset ? "offset" : "from": $0, "finished": .bool(finished)] }
    return .success(
      RunPage(
        observations: page.map { observation($0, runs[$0]!, isRow: true) },
        next: next ?? (listsFinishedApart && !finished ? .some(["finished": true]) : .none), unreadable: unreadableRows,
        mayHaveSkipped: offset > 0 || finished))
  }

  mutating func templatePage(_ cursor: JSONValue?) -> Result<TemplatePage, AdapterError> {
    calls["templates", default: 0] += 1
    if let failure { return .failure(failure) }
    if templatesAreRefused { return .failure(AdapterError(.forbidden, "not for you", status: 403)) }
    let from = Int(cursor?.int ?? 0)
    let page = templates.dropFirst(from).prefix(pageSize)
    return .success(
      TemplatePage(
        templates: page.map { EngineTemplate(name: $0) },
        next: from + page.count < templates.count ? .int(Int64(from + page.count)) : .none,
        unreadable: from == 0 ? unreadableTemplates : []))
  }

  mutating func overlayPage(_ cursor: JSONValue?) -> Result<OverlayPage, AdapterError> {
    calls["overlays", default: 0] += 1
    if let failure { return .failure(failure) }
    let uids = overlays.keys.sorted().filter { $0 > cursor?.string ?? "" }
    let page = uids.prefix(2)
    return .success(
      OverlayPage(
        overlays: Dictionary(uniqueKeysWithValues: page.map { ($0, overlays[$0]!) }), next: uids.count > 2 ? .string(page.last!) : nil))
  }

  mutating func changes(_ mark: JSONValue?) -> Result<ChangePage, AdapterError> {
    calls["changes", default: 0] += 1
    if let failure { return .failure(failure) }
    guard let from = mark?.int else { return .success(ChangePage(observations: [], mark: .int(Int64(change)))) }
    if from < oldestMark {
      if refusesOldMarks { return .failure(AdapterError(.invalid, "no such mark")) }
      return .success(ChangePage(observations: [], mark: .int(from), complete: false))
    }
    let changed = runs.filter { $0.value.changed > Int(from) && !unlisted.contains($0.key) }.sorted { $0.value.changed < $1.value.changed }
    return .success(
      ChangePage(
        observations: changed.map { observation($0.key, $0.value, isRow: true) },
        deleted: deleted.filter { $0.change > Int(from) }.map { RunKey(id: $0.id) }, mark: .int(Int64(change))))
  }

  mutating func get(_ key: RunKey) -> Result<Observation, AdapterError> {
    calls["get", default: 0] += 1
    if let failure { return .failure(failure) }
    guard let run = runs[key.id], !unseen.contains(key.id) else { return .failure(AdapterError(.notFound, "no such run", status: 404)) }
    return .success(observation(key.id, run, isRow: false))
  }
}
