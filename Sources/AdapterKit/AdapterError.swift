/// An engine's refusal or failure in neutral words. The one place that turns it into a Kubernetes Status is Translation's.
public struct AdapterError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A struct over a private enum, so that a code can be added without breaking adapters.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String, Sendable {
      case invalid, unauthenticated, forbidden, notFound, alreadyExists, conflict, rateLimited, unavailable, timeout, unsupported
      case malformedAnswer, cancelled
    }
    private let value: Value
    private init(_ value: Value) { self.value = value }
    public var description: String { value.rawValue }

    /// The engine refused the content of the request (often HTTP 400 or 422).
    public static let invalid = Code(.invalid)
    /// The gateway's credentials were refused, also after a new login.
    public static let unauthenticated = Code(.unauthenticated)
    /// The credentials are good but may not do this.
    public static let forbidden = Code(.forbidden)
    public static let notFound = Code(.notFound)
    /// A run with this submission key exists. Look it up to learn whose it is.
    public static let alreadyExists = Code(.alreadyExists)
    /// The run's state does not allow it, for example deleting a running one.
    public static let conflict = Code(.conflict)
    public static let rateLimited = Code(.rateLimited)
    /// No connection, or the engine answered 5xx.
    public static let unavailable = Code(.unavailable)
    public static let timeout = Code(.timeout)
    /// This engine, or this adapter, cannot do it.
    public static let unsupported = Code(.unsupported)
    /// The answer is not what the engine's API promises.
    public static let malformedAnswer = Code(.malformedAnswer)
    /// The caller gave up.
    public static let cancelled = Code(.cancelled)
  }

  public var code: Code
  /// For people, with the engine's own words where it gave any; no secrets, no stack traces.
  public var message: String
  /// Where in the submission the fault lies, for example `parameters.seconds`; nil when unknown.
  public var field: String?
  /// When the engine said how long to wait.
  public var retryAfter: Duration?
  /// True when a write may have taken effect although there is no answer that says so. Such a write is never sent again before a look-up.
  public var inDoubt: Bool
  /// The HTTP status, when there was one.
  public var status: Int?

  public init(
    _ code: Code, _ message: String, field: String? = nil, retryAfter: Duration? = nil, inDoubt: Bool = false, status: Int? = nil
  ) {
    self.code = code
    self.message = message
    self.field = field
    self.retryAfter = retryAfter
    self.inDoubt = inDoubt
    self.status = status
  }

  public var description: String { message }
}
