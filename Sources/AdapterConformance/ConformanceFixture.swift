public import AdapterKit
public import JSON
public import OrderedCollections

/// What the checks need to know about one real engine: where to work, and what to start there.
public struct ConformanceFixture: Sendable {
  /// Something that can be started.
  public struct Work: Sendable {
    /// The engine's name of the definition; nil to use `steps`.
    public var template: String?
    public var parameters: JSONObject
    public var steps: [InlineStep]

    public init(template: String, parameters: JSONObject = [:]) {
      self.template = template
      self.parameters = parameters
      steps = []
    }

    public init(steps: [InlineStep]) {
      template = nil
      parameters = [:]
      self.steps = steps
    }
  }

  public var scope: AdapterScope
  /// Succeeds, soon.
  public var quick: Work
  /// Stays active for a minute at least, so that it can be cancelled.
  public var slow: Work
  /// Fails; nil when there is nothing of that kind.
  public var failing: Work?
  /// Two steps that succeed; nil to skip the checks of inline steps.
  public var inline: Work?
  /// A text that the log of `quick` has in it; nil when it says nothing.
  public var quickOutput: String?
  /// A definition that the engine certainly has not.
  public var unknownTemplate: String?
  /// A schedule that does not fire during the checks.
  public var schedule: String
  /// Added to all names, so that one engine can be checked again and again.
  public var nonce: String
  /// How long a state may take to come.
  public var patience: Duration
  /// Pause between two looks; zero for engines that `drive` moves.
  public var interval: Duration
  /// Makes a run go on to a phase, for engines in which nothing moves by itself.
  public var drive: @Sendable (RunKey, RunPhase) async -> Void
  /// Starts a run in the engine without the gateway, with the envelope of another run where one is given, as somebody does who triggers again
  /// with the same parameters; nil to skip the checks of foreign runs.
  public var startForeign: (@Sendable (_ envelope: JSONValue?) async throws -> RunKey)?
  public var now: @Sendable () -> Timestamp

  public init(
    scope: AdapterScope, quick: Work, slow: Work, failing: Work? = nil, inline: Work? = nil, quickOutput: String? = nil,
    unknownTemplate: String? = "no-such-definition", schedule: String = "0 0 29 2 *", nonce: String, patience: Duration = .seconds(60),
    interval: Duration = .milliseconds(500), drive: @escaping @Sendable (RunKey, RunPhase) async -> Void = { _, _ in },
    startForeign: (@Sendable (_ envelope: JSONValue?) async throws -> RunKey)? = nil, now: @escaping @Sendable () -> Timestamp
  ) {
    self.scope = scope
    self.quick = quick
    self.slow = slow
    self.failing = failing
    self.inline = inline
    self.quickOutput = quickOutput
    self.unknownTemplate = unknownTemplate
    self.schedule = schedule
    self.nonce = nonce
    self.patience = patience
    self.interval = interval
    self.drive = drive
    self.startForeign = startForeign
    self.now = now
  }
}
