package import AdapterKit

/// How a binding is kept in step with its engine.
package struct ReconcilerSettings: Sendable {
  /// Between polls while runs are active or somebody watches; 5 s unless told. Zero turns polling off: the first sweep and live reads remain.
  package var pollInterval: Duration
  /// How many times longer the interval is when nothing goes on.
  package var idleFactor: Int
  /// Between full sweeps; 5 min unless told. Without incremental polling sweeps find new runs, so they come at least every
  /// ``pollInterval`` × ``idleFactor``.
  package var sweepInterval: Duration
  /// How far back finished runs are asked for.
  package var window: Duration
  /// A live read is content with a result that began this long before it; 1 s unless told.
  package var freshness: Duration
  /// Runs that are read one by one per poll, besides those that have to be.
  package var getsPerRound: Int
  package var concurrentGets: Int
  package var healthInterval: Duration
  package var templateInterval: Duration

  package init(
    pollInterval: Duration = .seconds(5), idleFactor: Int = 6, sweepInterval: Duration = .seconds(300),
    window: Duration = .seconds(7 * 86_400),
    freshness: Duration = .seconds(1), getsPerRound: Int = 20, concurrentGets: Int = 4, healthInterval: Duration = .seconds(30),
    templateInterval: Duration = .seconds(60)
  ) {
    self.pollInterval = pollInterval
    self.idleFactor = idleFactor
    self.sweepInterval = sweepInterval
    self.window = window
    self.freshness = freshness
    self.getsPerRound = getsPerRound
    self.concurrentGets = concurrentGets
    self.healthInterval = healthInterval
    self.templateInterval = templateInterval
  }

  /// What the absence rule counts (design §5).
  static let shrinkFloor = 20
  static let shrinkSweeps = 3
  static let shrinkTime = Duration.seconds(900)
  static let shrinkSamples = 20
  /// Templates cannot be asked for one by one, so fewer of them are too many.
  static let templateShrinkFloor = 3
  /// Sweeps that live lists ask for take at most one in so many parts of the time.
  static let demandedSweepShare = 5
  /// Between sweeps before the first complete one; doubled while rows are unreadable, up to the longest.
  static let firstSweepPause = Duration.seconds(5)
  static let longestFirstSweepPause = Duration.seconds(60)
}

/// What a reconciler can ask of its adapter.
package struct ReconcilerAbilities: Sendable {
  package var incremental: Bool
  package var overlaysApart: Bool
  /// Rows of the list carry overlays.
  package var overlaysWithRuns: Bool
  package var templates: Bool
  /// The gateway ends runs whose timeout is over: the engine does not, and can be told to.
  package var cancelsTimedOut: Bool
  package var listReachRows: Int?
  package var listReachAge: Duration?

  package init(
    incremental: Bool = false, overlaysApart: Bool = false, overlaysWithRuns: Bool = false, templates: Bool = false,
    cancelsTimedOut: Bool = false, listReachRows: Int? = nil,
    listReachAge: Duration? = nil
  ) {
    self.incremental = incremental
    self.overlaysApart = overlaysApart
    self.overlaysWithRuns = overlaysWithRuns
    self.templates = templates
    self.cancelsTimedOut = cancelsTimedOut
    self.listReachRows = listReachRows
    self.listReachAge = listReachAge
  }

  /// - Parameter mayWrite: false for bindings that only observe: they cancel nothing.
  package init(of adapter: any Adapter, mayWrite: Bool = true) {
    let abilities = adapter.abilities
    self.init(
      incremental: abilities.incremental != nil, overlaysApart: abilities.overlays.map { !$0.overlayComesWithRuns } ?? false,
      overlaysWithRuns: abilities.overlays?.overlayComesWithRuns ?? false,
      templates: abilities.templates != nil, cancelsTimedOut: mayWrite && abilities.cancelling != nil && !adapter.traits.enforcesTimeout,
      listReachRows: adapter.traits.listReachRows, listReachAge: adapter.traits.listReachAge)
  }
}
