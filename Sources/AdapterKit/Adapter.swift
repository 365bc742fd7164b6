public import JSON

/// The plugin that knows one kind of engine, set up for one installation of it.
///
/// Write these five for every engine. Everything else an engine may be able to do is an ability protocol of its own (``Cancelling``,
/// ``Deleting`` …); the gateway asks once, at registration, through ``abilities``. All calls may run concurrently. A call makes the
/// fewest requests it can, never retries a write, and never sleeps: pacing is the gateway's business.
public protocol Adapter: Sendable {
  /// Constant for the life of the adapter.
  var traits: AdapterTraits { get }

  /// Which optional protocols this adapter really supports. The default asks the type itself.
  var abilities: AdapterAbilities { get }

  /// Tells whether the engine answers and takes our credentials. Cheap; called at every interval of the health check.
  ///
  /// - Throws: only `.cancelled`; everything else is part of the answer.
  func health() async throws(AdapterError) -> EngineHealth

  /// Starts a run (or, where ``Submission/schedule`` is set, makes a schedule). Exactly one engine request that writes.
  ///
  /// - Returns: what the engine's answer shows of it; at least `core` and the key.
  /// - Throws: `.alreadyExists` when the engine refused the submission key; `inDoubt` set when the answer was lost.
  func submit(_ submission: Submission) async throws(AdapterError) -> Observation

  /// Reads one run. Asks for at least the facets `core` and `envelope`.
  ///
  /// - Throws: `.notFound` only when the engine itself said so.
  func get(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Observation

  /// Reads one page of the runs of a scope, schedules included.
  ///
  /// - Parameter cursor: nil for the first page, then what the page before returned.
  func list(_ scope: AdapterScope, since: Timestamp?, cursor: JSONValue?) async throws(AdapterError) -> RunPage

  /// Finds the run that was submitted under a key, for look-ups after a lost answer. nil when the engine certainly has none.
  func find(submissionKey: String, template: String?, kind: RunKey.Kind, scope: AdapterScope) async throws(AdapterError) -> Observation?

  /// Tells whether what the runs of this key live in (DAG, project, builder) is readable with our credentials: the second half of the proof
  /// that a 404 means "gone". True where there is nothing above the run.
  func parentIsReadable(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Bool
}

extension Adapter {
  public var abilities: AdapterAbilities { AdapterAbilities(of: self) }
  public func parentIsReadable(_ key: RunKey, scope: AdapterScope) async throws(AdapterError) -> Bool { true }
}

/// The part of an engine that a binding covers: the operator's `scope` object, in the form that the adapter's schema asks for.
public struct AdapterScope: Sendable, Hashable {
  public var settings: JSONValue
  public init(_ settings: JSONValue = .emptyObject) { self.settings = settings }
}

/// What is always true of an adapter.
public struct AdapterTraits: Sendable {
  /// For people: "Apache Airflow".
  public var engine: String
  /// The adapter's own name: "airflow".
  public var name: String
  public var version: String
  public var submissionKeys: SubmissionKeys
  /// The engine ends a run that is older than ``Submission/timeout`` by itself.
  public var enforcesTimeout: Bool
  public var runsInlineSteps: Bool
  public var keepsSchedules: Bool
  /// Rows that ``Adapter/list(_:since:cursor:)`` reaches at most, and how old they can be; nil for no limit. Outside, absence from the list says nothing.
  public var listReachRows: Int?
  public var listReachAge: Duration?
  /// How long after the request a submission can still appear in the engine; 60 s unless told.
  public var submitDeadline: Duration
  /// What the engine says it cannot do, in its users' words, by ability; for refusals. Example: "schedule": "Airflow takes schedules from DAG files only".
  public var limitations: [String: String]

  public init(
    engine: String, name: String, version: String, submissionKeys: SubmissionKeys, enforcesTimeout: Bool = false,
    runsInlineSteps: Bool = false,
    keepsSchedules: Bool = false, listReachRows: Int? = nil, listReachAge: Duration? = nil, submitDeadline: Duration = .seconds(60),
    limitations: [String: String] = [:]
  ) {
    self.engine = engine
    self.name = name
    self.version = version
    self.submissionKeys = submissionKeys
    self.enforcesTimeout = enforcesTimeout
    self.runsInlineSteps = runsInlineSteps
    self.keepsSchedules = keepsSchedules
    self.listReachRows = listReachRows
    self.listReachAge = listReachAge
    self.submitDeadline = submitDeadline
    self.limitations = limitations
  }
}

/// What an engine makes of ``Submission/key``.
public enum SubmissionKeys: String, Sendable {
  /// It refuses a second run with the same key.
  case enforced
  /// It refuses the key for ever, also after the run was deleted: the gateway adds a nonce.
  case enforcedForever
  /// It does not look at it; runs can be found by it.
  case searchable
  /// It has no place for it.
  case none
}

public struct EngineHealth: Sendable, Hashable {
  public var reachable: Bool
  /// nil when that could not be told, for example because the engine is not reachable.
  public var authenticated: Bool?
  public var version: String?
  /// What is wrong, for people; nil when all is well.
  public var message: String?

  public init(reachable: Bool, authenticated: Bool? = nil, version: String? = nil, message: String? = nil) {
    self.reachable = reachable
    self.authenticated = authenticated
    self.version = version
    self.message = message
  }
}

/// One page of a list.
public struct RunPage: Sendable {
  public var observations: [Observation]
  /// What to pass for the next page; nil on the last.
  public var next: JSONValue?
  /// Rows that could not be understood, each with a reason; a sweep with any is not complete.
  public var unreadable: [String]
  /// The engine may have moved rows while the list was read, so that some were passed over before this page: pages are cut by a position, or a run went
  /// from one of several lists to another. Before a binding is shown, its list is then read again until nothing new comes.
  public var mayHaveSkipped: Bool

  public init(observations: [Observation], next: JSONValue? = nil, unreadable: [String] = [], mayHaveSkipped: Bool = false) {
    self.observations = observations
    self.next = next
    self.unreadable = unreadable
    self.mayHaveSkipped = mayHaveSkipped
  }
}

/// A run to be started, in neutral words.
public struct Submission: Sendable {
  /// A function of namespace and name: `namespace.name`. The engine's run id or idempotency key is made from it.
  public var key: String
  /// The uid that the run will have; overlays are named by it.
  public var uid: String
  /// The engine's name of the definition to run; nil with ``steps``.
  public var template: String?
  public var parameters: JSONObject
  public var steps: [InlineStep]
  public var timeout: Duration?
  /// Cron expression: make a schedule instead of a run.
  public var schedule: String?
  public var suspended: Bool
  /// To be kept verbatim in the run and returned as ``Observation/envelope``.
  public var envelope: JSONValue
  /// The Kubernetes user, for the engine's audit.
  public var requestedBy: String
  public var scope: AdapterScope

  public init(
    key: String, uid: String, template: String?, parameters: JSONObject, steps: [InlineStep], timeout: Duration?, schedule: String?,
    suspended: Bool, envelope: JSONValue, requestedBy: String, scope: AdapterScope
  ) {
    self.key = key
    self.uid = uid
    self.template = template
    self.parameters = parameters
    self.steps = steps
    self.timeout = timeout
    self.schedule = schedule
    self.suspended = suspended
    self.envelope = envelope
    self.requestedBy = requestedBy
    self.scope = scope
  }
}

public struct InlineStep: Sendable, Hashable {
  public var name: String
  public var image: String?
  public var command: [String]
  public var args: [String]
  public var environment: [Variable]

  public struct Variable: Sendable, Hashable {
    public var name: String
    public var value: String
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(name: String, image: String? = nil, command: [String] = [], args: [String] = [], environment: [Variable] = []) {
    self.name = name
    self.image = image
    self.command = command
    self.args = args
    self.environment = environment
  }
}
