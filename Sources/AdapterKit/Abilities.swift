public import JSON

/// Stops an active run.
public protocol Cancelling: Sendable {
  /// - Parameter uid: the object's uid, for engines where a cancel must be told apart from a failure by a mark of ours.
  /// - Returns: what the answer shows, or nil when the engine tells nothing. Cancelling a finished run is `.conflict`.
  func cancel(_ key: RunKey, uid: String, reason: String, scope: AdapterScope) async throws(AdapterError) -> Observation?
}

/// Removes a finished run, or a schedule, from the engine.
public protocol Deleting: Sendable {
  /// - Throws: `.notFound` when it is gone already; `.conflict` while it is active.
  func delete(_ key: RunKey, scope: AdapterScope) async throws(AdapterError)
}

/// Runs a finished run again.
public protocol Retrying: Sendable {
  /// - Returns: the same run with a greater attempt, or the new run where the engine makes one.
  func retry(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation?
}

/// Holds and releases a run or a schedule.
public protocol Suspending: Sendable {
  func setSuspended(_ suspended: Bool, _ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation?
}

/// Takes a state from outside.
public protocol StateSetting: Sendable {
  func setState(_ phase: RunPhase, _ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation?
}

/// Keeps one small JSON document per run that can change later, in a place that is ours and that people do not write.
public protocol OverlayKeeping: Sendable {
  /// Bytes of compact JSON.
  var overlayLimit: Int { get }
  /// True when every list row and get carries the overlay; false when ``overlays(scope:cursor:)`` must be read beside the list.
  var overlayComesWithRuns: Bool { get }
  /// Writes the document; nil removes it.
  func setOverlay(_ overlay: JSONValue?, of key: RunKey, uid: String, scope: AdapterScope) async throws(AdapterError)
  /// Reads one. nil when there is none.
  func overlay(of key: RunKey, uid: String, scope: AdapterScope) async throws(AdapterError) -> JSONValue?
  /// One page of all overlays, by uid.
  func overlays(scope: AdapterScope, cursor: JSONValue?) async throws(AdapterError) -> OverlayPage
}

public struct OverlayPage: Sendable {
  public var overlays: [String: JSONValue]
  public var next: JSONValue?

  public init(overlays: [String: JSONValue], next: JSONValue? = nil) {
    self.overlays = overlays
    self.next = next
  }
}

/// Lists what changed.
public protocol IncrementalListing: Sendable {
  /// Runs that changed since a mark, oldest change first where the engine can.
  ///
  /// - Parameter mark: what the call before returned; nil for the first call, which may return nothing but a mark.
  /// - Returns: pages' observations, the keys that the engine says are gone, and the next mark. `complete` is false when the mark was too old and
  ///   a full sweep is needed.
  func changes(_ scope: AdapterScope, since mark: JSONValue?, now: Timestamp) async throws(AdapterError) -> ChangePage
}

public struct ChangePage: Sendable {
  public var observations: [Observation]
  public var deleted: [RunKey]
  public var mark: JSONValue
  public var complete: Bool
  /// There is more at once: call again with `mark`.
  public var more: Bool

  public init(observations: [Observation], deleted: [RunKey] = [], mark: JSONValue, complete: Bool = true, more: Bool = false) {
    self.observations = observations
    self.deleted = deleted
    self.mark = mark
    self.complete = complete
    self.more = more
  }
}

/// Lists what can be run.
public protocol Templating: Sendable {
  func templates(_ scope: AdapterScope, cursor: JSONValue?) async throws(AdapterError) -> TemplatePage
}

public struct TemplatePage: Sendable {
  public var templates: [EngineTemplate]
  public var next: JSONValue?
  /// Definitions that could not be understood, each with a reason; a reading with any says nothing about those that it lacks.
  public var unreadable: [String]

  public init(templates: [EngineTemplate], next: JSONValue? = nil, unreadable: [String] = []) {
    self.templates = templates
    self.next = next
    self.unreadable = unreadable
  }
}

/// A definition that runs are started from.
public struct EngineTemplate: Sendable, Hashable {
  /// The engine's name of it.
  public var name: String
  public var description: String?
  /// JSON Schema of the parameters object; nil when the engine does not say.
  public var parametersSchema: JSONValue?
  /// New runs wait until somebody releases it (a paused DAG).
  public var paused: Bool
  public var url: String?
  public var schedule: String?
  public var labels: [String: String]

  public init(
    name: String, description: String? = nil, parametersSchema: JSONValue? = nil, paused: Bool = false, url: String? = nil,
    schedule: String? = nil, labels: [String: String] = [:]
  ) {
    self.name = name
    self.description = description
    self.parametersSchema = parametersSchema
    self.paused = paused
    self.url = url
    self.schedule = schedule
    self.labels = labels
  }
}

/// Reads a run's output.
public protocol LogReading: Sendable {
  /// - Returns: the text so far and, with `follow`, what comes until the run has ended.
  func log(_ key: RunKey, _ options: LogOptions, scope: AdapterScope) async throws(AdapterError) -> LogStream
}

public struct LogOptions: Sendable, Hashable {
  public var follow: Bool
  /// One step only; nil for all, each line then begins with `[step] `.
  public var step: String?
  public var tailLines: Int?
  public var since: Timestamp?

  public init(follow: Bool = false, step: String? = nil, tailLines: Int? = nil, since: Timestamp? = nil) {
    self.follow = follow
    self.step = step
    self.tailLines = tailLines
    self.since = since
  }
}

/// Text that comes piece by piece.
public struct LogStream: Sendable {
  /// UTF-8 in pieces of any size; nil at the end.
  public var next: @Sendable () async throws(AdapterError) -> [UInt8]?
  public var cancel: @Sendable () -> Void

  public init(next: @escaping @Sendable () async throws(AdapterError) -> [UInt8]?, cancel: @escaping @Sendable () -> Void) {
    self.next = next
    self.cancel = cancel
  }
}

/// The optional protocols that one adapter supports; nil for those that it does not.
public struct AdapterAbilities: Sendable {
  public var cancelling: (any Cancelling)?
  public var deleting: (any Deleting)?
  public var retrying: (any Retrying)?
  public var suspending: (any Suspending)?
  public var stateSetting: (any StateSetting)?
  public var overlays: (any OverlayKeeping)?
  public var incremental: (any IncrementalListing)?
  public var templates: (any Templating)?
  public var logs: (any LogReading)?

  public init() {}

  /// Asks a Swift type which of the protocols it conforms to.
  public init(of adapter: any Adapter) {
    cancelling = adapter as? any Cancelling
    deleting = adapter as? any Deleting
    retrying = adapter as? any Retrying
    suspending = adapter as? any Suspending
    stateSetting = adapter as? any StateSetting
    overlays = adapter as? any OverlayKeeping
    incremental = adapter as? any IncrementalListing
    templates = adapter as? any Templating
    logs = adapter as? any LogReading
  }
}
