/// Requests whose result is one run.
struct RunOperation: Sendable {
  var chain: RequestChain
  /// The row; nil where the answer shows nothing.
  var run: ValueTemplate?
  var steps: ValueTemplate?
  var mapping: RunMapping?
}

/// Requests whose last one gives pages of rows.
struct ListOperation: Sendable {
  var chain: RequestChain
  var mapping: RunMapping?
}

struct ChangesOperation: Sendable {
  /// For the first mark of all; without it the first call asks with `mark` null.
  var start: (chain: RequestChain, mark: ValueTemplate)?
  var list: ListOperation
  /// The next mark.
  var mark: ValueTemplate
  /// Rows of what is gone; each needs what the mapping's `id` and `parent` read.
  var deleted: ValueTemplate?
  /// False when the mark was too old.
  var complete: ValueTemplate?
  /// The mark is the position behind the last page (a feed), not a moment at its beginning.
  var markOfLastPage: Bool
}

/// What can be done with runs, or with schedules.
struct RunBlock: Sendable {
  var mapping: RunMapping
  var stepMapping: StepMapping?
  var submitTemplate: RunOperation?
  var submitSteps: RunOperation?
  var get: RunOperation?
  var find: RunOperation?
  var list: [ListOperation] = []
  var changes: ChangesOperation?
  var cancel: RunOperation?
  var delete: RequestChain?
  var retry: RunOperation?
  var suspend: RunOperation?
  var resume: RunOperation?
  var setState: RunOperation?
}

struct HealthOperation: Sendable {
  var chain: RequestChain
  var version: ValueTemplate?
  /// What is wrong; null when all is well.
  var message: ValueTemplate?
}

struct TemplatesOperation: Sendable {
  struct Details: Sendable {
    var chain: RequestChain
    /// While this value stays the same, the answer of an earlier call is used again.
    var cacheKey: ValueTemplate?
    var concurrency: Int
  }

  var list: ListOperation
  var details: Details?
  var name: ValueTemplate
  var description: ValueTemplate?
  var parametersSchema: ValueTemplate?
  var paused: ValueTemplate?
  var url: ValueTemplate?
  var schedule: ValueTemplate?
  var labels: ValueTemplate?
}

struct OverlayOperations: Sendable {
  /// Bytes of compact JSON.
  var limit: Int
  var comesWithRuns: Bool
  var set: RequestChain
  var remove: RequestChain
  var get: (chain: RequestChain, document: ValueTemplate)
  var list: (list: ListOperation, uid: ValueTemplate, document: ValueTemplate)?
}

/// Documents beside the runs, by uid, without which some rows cannot be understood.
struct MarksOperations: Sendable {
  /// Whether a row needs its mark.
  var condition: ValueTemplate
  var uid: ValueTemplate
  var get: (chain: RequestChain, document: ValueTemplate)
  var list: (list: ListOperation, uid: ValueTemplate, document: ValueTemplate)?
}

struct LogOperation: Sendable {
  enum Option: String, Sendable, CaseIterable { case follow, step, tailLines, since, prefix }

  /// One row per place that a run's text is read from; nil where it is one for the whole run.
  struct Sources: Sendable {
    var chain: RequestChain
    var rows: ValueTemplate
    /// Tells one source from the others.
    var id: ValueTemplate
    /// The step's name.
    var step: ValueTemplate?
    /// Nothing more will come.
    var done: ValueTemplate?
  }

  enum Reading: Sendable {
    /// The answer's body is the text; with `follow` the engine ends it.
    case stream(RequestTemplate)
    /// Each answer is a piece.
    case pages(RequestChain, lines: ValueTemplate?, text: ValueTemplate?, token: ValueTemplate?, more: ValueTemplate?)
  }

  var sources: Sources?
  var reading: Reading
  /// Between two looks while following.
  var interval: Duration
  /// What the engine does by itself; the rest is done here.
  var engineDoes: Set<Option>
}

struct Auth: Sendable {
  struct Login: Sendable {
    var chain: RequestChain
    var token: ValueTemplate
    /// Seconds that it is good for.
    var expiresIn: ValueTemplate?
    var expiresAt: ValueTemplate?
    /// Whether an answer says that the token is no longer good.
    var renew: ValueTemplate?
  }

  /// Which of several ways is taken; the first that holds.
  var condition: ValueTemplate?
  /// Sent with every request. Names and values are secret.
  var headers: [(name: String, value: ValueTemplate)]
  var basic: (user: ValueTemplate, password: ValueTemplate)?
  var login: Login?
}

/// What the engine stands.
struct LimitHints: Sendable {
  var concurrentRequests: ValueTemplate?
  var concurrentWrites: ValueTemplate?
  var requestsPerSecond: ValueTemplate?
}

/// The part of the engine that a binding covers.
struct ScopeRules: Sendable {
  /// What is in the scope, when that takes requests to learn; kept for a while.
  var resolve: (chain: RequestChain, value: ValueTemplate, keep: Duration)?
  /// Whether a run or a template belongs to it.
  var contains: ValueTemplate?
}
