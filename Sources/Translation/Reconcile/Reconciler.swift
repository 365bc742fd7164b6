internal import AdapterKit
package import JSON

/// Keeps the view of one binding in step with its engine (design §5). A value: every input is handled at a given moment with a given random
/// number and gives actions; a shell (``BindingDriver``) carries them out.
package struct Reconciler: Sendable {
  let binding: BindingID
  let settings: ReconcilerSettings
  let abilities: ReconcilerAbilities

  var runs = RunTable()
  var sweep: Sweep?
  /// Whether the first full sweep has ended.
  package internal(set) var isSwept = false
  /// When the last full sweep ended, and when the last poll or sweep that succeeded began.
  package internal(set) var lastSuccess: Timestamp?
  /// When the last sweep ended, well or not, and how long it took.
  var lastSweep: Timestamp?
  var sweepTook = Duration.zero
  /// Sweeps in a row with rows that nobody understands.
  var unreadableSweeps = 0
  var nextSweep: Timestamp?
  var nextPoll: Timestamp?
  var nextHealth: Timestamp?
  var nextTemplates: Timestamp?
  var nextExpiry: Timestamp?
  var mark: JSONValue?
  /// When the latest sweep began, however it ended.
  var lastSweepBegan: Timestamp?
  /// A sweep has to begin at or after this moment: what changed before it is told by no poll.
  var owesSweepSince: Timestamp?
  /// A live list waits for the sweep that is under way.
  var isSweepDemanded = false
  /// The beginning of the incremental poll that is under way.
  var pollBegan: Timestamp?
  var isPolling = false
  /// The reading of the templates that is under way.
  var templatePages: TemplatePage?
  /// Somebody looks for a template; the reading is not one of those at intervals.
  var areTemplatesDemanded = false
  var templateTable = TemplateTable()
  /// What is wrong with the templates, for the conditions.
  var templateFault: (reason: String, message: String)?
  var templatesBegan = Timestamp(microseconds: 0)
  var gets = GetQueue()
  var absence = Absence()
  var breaker = Breaker()
  var isWatched = false
  /// Polls that still follow quickly on an own write, 1, 2, 4 and 8 s apart, while runs are active: what we began or stopped will move soon.
  var burst = 0
  static let burstLength = 4
  var conditions: BackendConditions
  private var timer: Timestamp?
  private var reported: BackendConditions?

  package init(binding: BindingID, settings: ReconcilerSettings, abilities: ReconcilerAbilities, now: Timestamp) {
    self.binding = binding
    self.settings = settings
    self.abilities = abilities
    conditions = BackendConditions(now: now)
  }

  /// - Parameter random: from 0 to 1; used for jitter only.
  package mutating func handle(_ input: ReconcilerInput, now: Timestamp, random: Double) -> [ReconcilerAction] {
    var turn = Turn(now: now, random: random)
    switch input {
    case .start: start(&turn)
    case .timer: timer = nil
    case .page(let result, let times): page(result, times, &turn)
    case .changes(let result, let times): changes(result, times, &turn)
    case .overlays(let result, let times): overlays(result, times, &turn)
    case .templates(let result): templates(result, &turn)
    case .got(let key, let result, let times): got(key, result, times, &turn)
    case .parent(let key, let result): parent(key, result, &turn)
    case .health(let health): self.health(health, &turn)
    case .cancelled(let key, let error): cancelled(key, error, &turn)
    case .learnt(let summaries, let gone): learnt(summaries, gone, &turn)
    case .settled(let sweepRows): settled(sweepRows: sweepRows, &turn)
    case .called(let error): called(error, &turn)
    case .wake:
      burst = Self.burstLength
      turn.hasten(&nextPoll)
    case .demand: demand(&turn)
    case .demandTemplates: demandTemplates(&turn)
    case .watched(let watched):
      if watched, !isWatched { turn.hasten(&nextPoll) }
      isWatched = watched
    case .acceptShrink: acceptShrink(turn)
    }
    advance(&turn)
    return turn.actions
  }

  /// One call of ``handle(_:now:random:)``.
  struct Turn {
    let now: Timestamp
    let random: Double
    var actions: [ReconcilerAction] = []

    /// Within ±10 %.
    func jittered(_ duration: Duration) -> Timestamp { now + duration * (0.9 + 0.2 * random) }

    /// True once when a moment has come.
    func take(_ moment: inout Timestamp?) -> Bool {
      guard let due = moment, due <= now else { return false }
      moment = nil
      return true
    }

    /// Makes it happen as soon as may be.
    func hasten(_ moment: inout Timestamp?, notBefore: Timestamp? = nil) {
      let at = max(now, notBefore ?? now)
      moment = min(moment ?? at, at)
    }
  }

  private mutating func start(_ turn: inout Turn) {
    nextHealth = turn.now
    nextExpiry = turn.now + .seconds(60)
    if abilities.templates { nextTemplates = turn.now }
    // The mark first: what changes during the sweep is then told by the next poll.
    if abilities.incremental { nextPoll = turn.now } else { nextSweep = turn.now }
  }

  /// Begins what is due, as far as the engine may be asked, and sets the timer for the rest.
  private mutating func advance(_ turn: inout Turn) {
    if !breaker.isClosed {
      if breaker.beginProbe(now: turn.now) { turn.actions.append(.health) }
    } else {
      if turn.take(&nextHealth) {
        turn.actions.append(.health)
        nextHealth = settings.pollInterval == .zero ? nil : turn.jittered(settings.healthInterval)
      }
      if sweep == nil, turn.take(&nextSweep) { beginSweep(&turn) }
      if !isPolling, turn.take(&nextPoll) { beginPoll(&turn) }
      if templatePages == nil, turn.take(&nextTemplates) {
        beginTemplates(isDemanded: false, &turn)
      }
      cancelTimedOut(&turn)
      while gets.inFlight.count < settings.concurrentGets, let key = gets.next() {
        runs.asked(key, now: turn.now)
        turn.actions.append(.get(key))
      }
    }
    if turn.take(&nextExpiry) {
      turn.actions.append(.expire)
      nextExpiry = turn.now + .seconds(60)
    }
    report(&turn)
    let due = [
      breaker.openUntil.map { breaker.isProbing ? nil : $0 } ?? nil, breaker.isClosed ? nextCalls : nil, nextExpiry,
    ].compactMap { $0 }.min()
    if let due, due != timer {
      timer = due
      turn.actions.append(.setTimer(at: max(due, turn.now)))
    }
  }

  private var nextCalls: Timestamp? {
    [
      nextHealth, sweep == nil ? nextSweep : nil, isPolling ? nil : nextPoll, templatePages == nil ? nextTemplates : nil,
      isSwept && abilities.cancelsTimedOut ? runs.deadlines.values.min() : nil,
    ].compactMap { $0 }.min()
  }

  private mutating func report(_ turn: inout Turn) {
    guard conditions != reported else { return }
    reported = conditions
    turn.actions.append(.status(conditions))
  }

  private mutating func acceptShrink(_ turn: Turn) {
    if absence.shrink != nil {
      absence.shrink?.accepted = true
      turn.hasten(&nextSweep)
    }
    if templateTable.hold != nil {
      templateTable.acceptHold()
      turn.hasten(&nextTemplates)
    }
  }
}
