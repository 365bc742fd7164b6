import AdapterKit
import JSON
import KubeWire
import OrderedCollections

@testable import Translation

/// Store, reconciler and engine in one thread with a clock that only the test moves: what happens depends on the seed alone.
struct Simulation {
  var now = at(0)
  var engine = ModelEngine()
  var store: RunStore
  var reconciler: Reconciler
  var random: SplitMix
  var conditions: BackendConditions?
  var polls: [AdapterError?] = []
  /// When what answers live lists began.
  var pollsBegan: [Timestamp] = []
  var cancelled: [String] = []
  /// Seconds that a call takes, drawn per call.
  var latency = 0.01...0.05
  private var agenda: [(at: Timestamp, order: Int, what: Step)] = []
  private var steps = 0
  private var timer: Timestamp?
  private var cursor: WatchCursor
  private(set) var told: [WatchEvent] = []

  private enum Step {
    /// The engine works on a call.
    case serve(ReconcilerAction, began: Timestamp)
    case answer(ReconcilerInput)
  }

  init(seed: UInt64 = 1, abilities: ReconcilerAbilities = ReconcilerAbilities(), settings: ReconcilerSettings = ReconcilerSettings()) {
    random = SplitMix(seed)
    store = RunStore(
      objects: emptyStore(),
      bindings: [
        BindingSettings(
          id: "b", namespaces: ["default"], readsOverlaysApart: abilities.overlaysApart, hasTemplates: abilities.templates)
      ],
      projection: TestProjection())
    reconciler = Reconciler(binding: "b", settings: settings, abilities: abilities, now: now)
    cursor = try! WatchCursor(.workflows, namespace: nil, options: ListOptions(), in: store.objects)
  }

  mutating func start() { handle(.start) }

  mutating func handle(_ input: ReconcilerInput) {
    let actions = reconciler.handle(input, now: now, random: Double.random(in: 0...1, using: &random))
    for action in actions { perform(action) }
  }

  /// Lets time pass.
  mutating func run(for seconds: Double) {
    let end = now + .microseconds(Int64(seconds * 1_000_000))
    while true {
      let next = agenda.indices.min { (agenda[$0].at, agenda[$0].order) < (agenda[$1].at, agenda[$1].order) }
      let due = [next.map { agenda[$0].at }, timer].compactMap { $0 }.min()
      guard let due, due <= end else { break }
      now = max(now, due)
      if let next, agenda[next].at == due {
        let step = agenda.remove(at: next)
        switch step.what {
        case .serve(let action, let began): serve(action, began)
        case .answer(let input): handle(input)
        }
      } else {
        timer = nil
        handle(.timer)
      }
    }
    now = end
    watch()
  }

  /// Lets much time pass, and the tests beside this one have their turn on its thread.
  mutating func pass(_ seconds: Double) async {
    for _ in 0..<Int(seconds / 20) {
      run(for: 20)
      await Task.yield()
    }
    run(for: seconds.truncatingRemainder(dividingBy: 20))
  }

  mutating func watch() {
    let more = drain(&cursor, store.objects)
    if more.expired { cursor = try! WatchCursor(.workflows, namespace: nil, options: ListOptions(), in: store.objects) }
    told += more.events
  }

  var templates: [String] { store.objects[.workflowtemplates].objects.map(\.draft.name) }
  func steps(_ name: String) -> Int64? {
    store.objects.object(.workflows, namespace: "default", name: name)?.draft.content["status"]?["steps"]?.int
  }
  var shown: [String] { store.objects[.workflows].objects.map(\.draft.name) }
  var deletions: [String] { told.filter { $0.kind == .deleted }.map(\.object.draft.name) }
  func raw(_ name: String) -> String? {
    store.objects.object(.workflows, namespace: "default", name: name)?.draft.content["status"]?["raw"]?.string
  }

  private mutating func schedule(_ step: Step, after seconds: Double) {
    steps += 1
    agenda.append((now + .microseconds(Int64(seconds * 1_000_000)), steps, step))
  }

  private mutating func learn(_ outcome: ObserveOutcome) {
    if !outcome.summaries.isEmpty || !outcome.gone.isEmpty { handle(.learnt(outcome.summaries, gone: outcome.gone.map(\.key))) }
  }

  private mutating func perform(_ action: ReconcilerAction) {
    switch action {
    case .observe(let batch): learn(store.observe(batch, now: now))
    case .observeOverlays(let overlays, let times):
      learn(store.observeOverlays("b", overlays, began: times.began, ended: times.ended, now: now))
    case .observeTemplates(let templates): learn(store.observeTemplates("b", templates, now: now))
    case .forget(let keys): learn(store.forget(keys.map { RunRef("b", $0) }, now: now))
    case .settle(let sweepRows): handle(.settled(sweepRows: sweepRows))
    case .markSwept:
      learn(store.markSwept("b", now: now))
      cursor = try! WatchCursor(.workflows, namespace: nil, options: ListOptions(), in: store.objects)
    case .expire: learn(store.expire(now: now))
    case .pollEnded(let began, let error):
      polls.append(error)
      pollsBegan.append(began)
    case .templatesEnded: break
    case .setTimer(let moment): timer = moment
    case .status(let conditions): self.conditions = conditions
    default: schedule(.serve(action, began: now), after: Double.random(in: latency, using: &random))
    }
  }

  private mutating func serve(_ action: ReconcilerAction, _ began: Timestamp) {
    let way = Double.random(in: latency, using: &random)
    let times = CallTimes(began: began, ended: now + .microseconds(Int64(way * 1_000_000)))
    let answer: ReconcilerInput
    switch action {
    case .list(let since, let cursor): answer = .page(engine.page(since: since, cursor: cursor), times)
    case .changes(let mark): answer = .changes(engine.changes(mark), times)
    case .overlays(let cursor): answer = .overlays(engine.overlayPage(cursor), times)
    case .templates(let cursor): answer = .templates(engine.templatePage(cursor))
    case .get(let key): answer = .got(key, engine.get(key), times)
    case .checkParent(let key):
      answer = .parent(key, engine.isDown ? .failure(AdapterError(.unavailable, "down")) : .success(engine.parentIsReadable))
    case .health:
      answer = .health(EngineHealth(reachable: !engine.isDown, authenticated: engine.isDown ? nil : true, version: "1"))
    case .cancelTimedOut(let key):
      cancelled.append(key.id)
      if !engine.isDown { engine.set(key.id) { ($0.phase, $0.raw, $0.finished) = (.failed, "cancelled", began) } }
      answer = .cancelled(key, engine.isDown ? AdapterError(.unavailable, "down") : nil)
    default: return
    }
    schedule(.answer(answer), after: way)
  }
}
