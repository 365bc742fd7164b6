public import JSON

/// Names one run, or one schedule, in an engine.
public struct RunKey: Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, Sendable { case run, schedule }

  public var kind: Kind
  /// What the id is unique in (an Airflow DAG, a Buildbot builder, a Jenkins job); empty where ids are unique in the whole engine.
  public var parent: String
  public var id: String

  public init(kind: Kind = .run, parent: String = "", id: String) {
    self.kind = kind
    self.parent = parent
    self.id = id
  }

  public var description: String { parent.isEmpty ? id : "\(parent)/\(id)" }
}

/// A part of a run that a call may or may not see.
public enum Facet<Value: Sendable & Hashable>: Sendable, Hashable {
  /// The call did not look: what was known stays.
  case unseen
  /// The call looked, and there is none.
  case absent
  case present(Value)
}

/// What one call saw of one run: only the facets it saw.
///
/// `key`, `identity` and `attempt` are required: without them a rerun looks like a run going backwards, and a run has no lasting uid.
public struct Observation: Sendable, Hashable {
  public var key: RunKey
  /// Made of immutable engine keys only, the same before and after queueing, reruns and edits (Airflow: dag_id, run_id, run_after).
  public var identity: String
  public var attempt: Attempt
  /// Where the engine orders the states of one run (updated_at, a sequence): greater is newer. nil where it does not.
  public var order: EngineOrder?
  public var core: Facet<RunCore>
  /// The document that ``Submission/envelope`` put into the run. `.absent` says that the run certainly has none.
  public var envelope: Facet<JSONValue>
  /// The document that ``OverlayKeeping`` keeps for the run.
  public var overlay: Facet<JSONValue>
  public var steps: Facet<[RunStep]>
  /// The engine marks this run as a repetition of another one (rebuild, replay): an envelope in it is a copy.
  public var isRebuild: Bool

  public init(
    key: RunKey, identity: String, attempt: Attempt, order: EngineOrder? = nil, core: Facet<RunCore> = .unseen,
    envelope: Facet<JSONValue> = .unseen, overlay: Facet<JSONValue> = .unseen, steps: Facet<[RunStep]> = .unseen, isRebuild: Bool = false
  ) {
    self.key = key
    self.identity = identity
    self.attempt = attempt
    self.order = order
    self.core = core
    self.envelope = envelope
    self.overlay = overlay
    self.steps = steps
    self.isRebuild = isRebuild
  }
}

/// Which try of a run this is. Terminal states may turn active again only when it grew.
public enum Attempt: Sendable, Hashable {
  /// Counted by the engine, from 1.
  case number(Int64)
  /// A moment that moves forward with each try (Airflow's queued_at).
  case since(Timestamp)
  /// The engine does not tell one try from the next.
  case unknown
}

/// A position in the engine's own order of the states of one run.
public enum EngineOrder: Sendable, Hashable, Comparable {
  case sequence(Int64)
  case time(Timestamp)

  public static func < (a: EngineOrder, b: EngineOrder) -> Bool {
    switch (a, b) {
    case (.sequence(let a), .sequence(let b)): a < b
    case (.time(let a), .time(let b)): a < b
    default: false
    }
  }
}

public enum RunPhase: String, Sendable, Hashable, CaseIterable {
  case pending = "Pending"
  case running = "Running"
  case succeeded = "Succeeded"
  case failed = "Failed"

  public var isTerminal: Bool { self == .succeeded || self == .failed }
}

/// State, times and origin of a run.
public struct RunCore: Sendable, Hashable {
  public var phase: RunPhase
  /// The engine's own word, for example `upstream_failed`.
  public var rawState: String
  /// CamelCase: Cancelled, TimedOut, Suspended, Scheduled …; nil when the phase says it all.
  public var reason: String?
  /// One line for people; nil when there is nothing to add.
  public var message: String?
  public var createdAt: Timestamp?
  public var startedAt: Timestamp?
  public var finishedAt: Timestamp?
  /// The engine's name of the definition it runs; nil for inline work.
  public var template: String?
  /// What started it: manual, api, schedule, push …; lower case.
  public var trigger: String?
  /// A page for the browser.
  public var url: String?
  public var progress: RunProgress?
  public var suspended: Bool
  public var parameters: JSONValue?
  /// What the adapter maps for selectors: branch, commit, tag …; bare names, values of any text.
  public var labels: [String: String]
  /// For a run that a schedule started: the schedule's id.
  public var scheduledBy: String?
  /// For `.schedule` keys: the cron expression, and when it fired last and fires next.
  public var schedule: String?
  public var lastScheduleTime: Timestamp?
  public var nextRunTime: Timestamp?

  public init(
    phase: RunPhase, rawState: String, reason: String? = nil, message: String? = nil, createdAt: Timestamp? = nil,
    startedAt: Timestamp? = nil,
    finishedAt: Timestamp? = nil, template: String? = nil, trigger: String? = nil, url: String? = nil, progress: RunProgress? = nil,
    suspended: Bool = false, parameters: JSONValue? = nil, labels: [String: String] = [:], scheduledBy: String? = nil,
    schedule: String? = nil,
    lastScheduleTime: Timestamp? = nil, nextRunTime: Timestamp? = nil
  ) {
    self.phase = phase
    self.rawState = rawState
    self.reason = reason
    self.message = message
    self.createdAt = createdAt
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.template = template
    self.trigger = trigger
    self.url = url
    self.progress = progress
    self.suspended = suspended
    self.parameters = parameters
    self.labels = labels
    self.scheduledBy = scheduledBy
    self.schedule = schedule
    self.lastScheduleTime = lastScheduleTime
    self.nextRunTime = nextRunTime
  }
}

/// Steps done of steps in all.
public struct RunProgress: Sendable, Hashable {
  public var done: Int
  public var total: Int

  public init(done: Int, total: Int) {
    self.done = done
    self.total = total
  }
}

public struct RunStep: Sendable, Hashable {
  public var name: String
  public var phase: RunPhase
  /// The engine's own word; `skipped` steps are succeeded or failed with this telling which.
  public var rawState: String
  public var message: String?
  public var startedAt: Timestamp?
  public var finishedAt: Timestamp?

  public init(
    name: String, phase: RunPhase, rawState: String, message: String? = nil, startedAt: Timestamp? = nil, finishedAt: Timestamp? = nil
  ) {
    self.name = name
    self.phase = phase
    self.rawState = rawState
    self.message = message
    self.startedAt = startedAt
    self.finishedAt = finishedAt
  }
}
