/// A refusal that is ready to be sent. Everything that fails on the way of a request ends as one of these, once.
package struct StatusError: Error, Sendable, Hashable, CustomStringConvertible {
  package var status: Status
  /// Seconds for the `Retry-After` header. client-go repeats **any** request that is answered with it, a POST too: set it only when nothing
  /// was written (kubernetes-wire E2).
  package var retryAfter: Int?
  /// Further response headers, such as Allow.
  package var headers: [String: String]

  package init(_ status: Status, retryAfter: Int? = nil, headers: [String: String] = [:]) {
    self.status = status
    self.retryAfter = retryAfter
    self.headers = headers
  }

  package var description: String { "\(status.code) \(status.reason): \(status.message)" }
  package var code: Int { status.code }
}

/// The refusals with Kubernetes' reasons and texts (kubernetes-wire §8). `resource` is the plural name.
extension StatusError {
  package static func badRequest(_ message: String) -> StatusError {
    StatusError(Status(code: 400, reason: "BadRequest", message: message))
  }

  /// The body names another object than the URL does (kubernetes-wire C14).
  package static func otherName(_ given: String, inURL name: String) -> StatusError {
    .badRequest("the name of the object (\(given)) does not match the name on the URL (\(name))")
  }

  package static let otherNamespace = StatusError.badRequest(
    "the namespace of the provided object does not match the namespace sent on the request")

  package static func unauthorized(_ message: String = "Unauthorized") -> StatusError {
    StatusError(Status(code: 401, reason: "Unauthorized", message: message))
  }

  /// A refusal about a resource. - Parameter reason: what follows "is forbidden: ". - Parameter name: empty for a collection.
  package static func forbidden(resource: String, group: String, name: String = "", reason: String, causes: [Status.Cause] = [])
    -> StatusError
  {
    let object = qualified(resource, group) + (name.isEmpty ? "" : " \(GoText.quoted(name))")
    return StatusError(
      Status(
        code: 403, reason: "Forbidden", message: "\(object) is forbidden: \(reason)",
        details: Status.Details(name: name, group: group, kind: resource, causes: causes)))
  }

  /// A refusal about a path, or with a text of its own.
  package static func forbidden(_ reason: String) -> StatusError {
    StatusError(Status(code: 403, reason: "Forbidden", message: "forbidden: \(reason)", details: Status.Details()))
  }

  package static func notFound(resource: String, group: String, name: String) -> StatusError {
    StatusError(
      Status(
        code: 404, reason: "NotFound", message: "\(qualified(resource, group)) \(GoText.quoted(name)) not found",
        details: Status.Details(name: name, group: group, kind: resource)))
  }

  /// An unknown path, resource or version.
  package static let unknownPath = StatusError(
    Status(code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: Status.Details()))

  /// Create in a namespace that does not exist (kubernetes-wire C6).
  package static func namespaceNotFound(_ namespace: String) -> StatusError { notFound(resource: "namespaces", group: "", name: namespace) }

  /// Create in a namespace that is being deleted (kubernetes-wire C6).
  package static func namespaceTerminating(resource: String, group: String, name: String, namespace: String) -> StatusError {
    let text = "unable to create new content in namespace \(namespace) because it is being terminated"
    let cause = Status.Cause(
      reason: "NamespaceTerminating", message: "namespace \(namespace) is being terminated", field: "metadata.namespace")
    return forbidden(resource: resource, group: group, name: name, reason: text, causes: [cause])
  }

  /// - Parameter allow: the methods for the Allow header.
  package static func methodNotAllowed(_ message: String? = nil, allow: [String] = []) -> StatusError {
    StatusError(
      Status(
        code: 405, reason: "MethodNotAllowed", message: message ?? "the server does not allow this method on the requested resource",
        details: Status.Details()),
      headers: allow.isEmpty ? [:] : ["Allow": allow.joined(separator: ", ")])
  }

  /// `delete is not supported on resources of kind "workflows.workflow.example.com"` (kubernetes-wire C27), with what to do instead.
  /// - Parameter allow: the methods for the Allow header.
  package static func methodNotSupported(_ verb: String, resource: String, group: String, advice: String = "", allow: [String] = [])
    -> StatusError
  {
    StatusError(
      Status(
        code: 405, reason: "MethodNotAllowed",
        message: "\(verb) is not supported on resources of kind \"\(qualified(resource, group))\"" + (advice.isEmpty ? "" : ": \(advice)"),
        details: Status.Details(group: group, kind: resource)),
      headers: allow.isEmpty ? [:] : ["Allow": allow.joined(separator: ", ")])
  }

  package static func notAcceptable(accepted: [String]) -> StatusError {
    notAcceptable("only the following media types are accepted: \(accepted.joined(separator: ", "))")
  }

  package static func notAcceptable(_ message: String) -> StatusError {
    StatusError(Status(code: 406, reason: "NotAcceptable", message: message))
  }

  /// - Parameter detail: who holds the name, for example "object is being deleted: "; it goes in front.
  package static func alreadyExists(resource: String, group: String, name: String, prefix: String = "", suffix: String = "") -> StatusError
  {
    StatusError(
      Status(
        code: 409, reason: "AlreadyExists",
        message: "\(prefix)\(qualified(resource, group)) \(GoText.quoted(name)) already exists\(suffix)",
        details: Status.Details(name: name, group: group, kind: resource)))
  }

  /// - Parameter reason: what follows `Operation cannot be fulfilled on …: `.
  package static func conflict(resource: String, group: String, name: String, reason: String = StatusError.modified) -> StatusError {
    StatusError(
      Status(
        code: 409, reason: "Conflict",
        message: "Operation cannot be fulfilled on \(qualified(resource, group)) \(GoText.quoted(name)): \(reason)",
        details: Status.Details(name: name, group: group, kind: resource)))
  }

  package static let modified = "the object has been modified; please apply your changes to the latest version and try again"

  /// A version, or a continue token, that has left the window (kubernetes-wire W4, L11).
  package static func expired(_ message: String, continueToken: String = "") -> StatusError {
    StatusError(Status(code: 410, reason: "Expired", message: message, continueToken: continueToken))
  }

  /// A watch that wants to begin before the window (kubernetes-wire W4).
  package static func tooOldResourceVersion(requested: UInt64, oldest: UInt64) -> StatusError {
    expired("too old resource version: \(requested) (\(oldest))")
  }

  /// A list that wants exactly a state that is no longer kept (kubernetes-wire L6).
  package static let listVersionExpired = expired("The resourceVersion for the provided list is too old.")

  package static func requestEntityTooLarge(limit: Int) -> StatusError {
    StatusError(
      Status(code: 413, reason: "RequestEntityTooLarge", message: "Request entity too large: limit is \(limit)", details: Status.Details()))
  }

  package static func unsupportedMediaType(accepted: [String]) -> StatusError {
    StatusError(
      Status(
        code: 415, reason: "UnsupportedMediaType",
        message: "the body of the request was in an unknown format - accepted media types include: \(accepted.joined(separator: ", "))"))
  }

  /// - Parameters:
  ///   - kind: the Kind, or the name of an options type.
  ///   - errors: at least one.
  package static func invalid(kind: String, group: String, name: String, errors: [FieldError]) -> StatusError {
    // A body can be wrong in a hundred thousand places; nobody reads on after the first hundred.
    let told = errors.prefix(maximumFieldErrors)
    var texts: [String] = []
    for error in told where !texts.contains(error.description) { texts.append(error.description) }
    if errors.count > told.count { texts.append("and \(errors.count - told.count) more") }
    let list = texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    return StatusError(
      Status(
        code: 422, reason: "Invalid", message: "\(qualified(kind, group)) \(GoText.quoted(name)) is invalid: \(list)",
        details: Status.Details(
          name: name, group: group, kind: kind,
          causes: told.map { Status.Cause(reason: $0.kind.reason, message: $0.body, field: $0.field) })))
  }

  /// 422 for the options of a request; `kind` is ListOptions, CreateOptions …
  package static func invalidOptions(_ kind: String, _ errors: [FieldError]) -> StatusError {
    invalid(kind: kind, group: "meta.k8s.io", name: "", errors: errors)
  }

  package static func tooManyRequests(_ message: String = "Too many requests, please try again later.", retryAfter: Int = 1) -> StatusError
  {
    StatusError(
      Status(code: 429, reason: "TooManyRequests", message: message, details: Status.Details(retryAfterSeconds: retryAfter)),
      retryAfter: retryAfter)
  }

  /// - Parameter message: no secrets, no stack traces.
  package static func internalError(_ message: String) -> StatusError {
    StatusError(
      Status(
        code: 500, reason: "InternalError", message: "Internal error occurred: \(message)",
        details: Status.Details(causes: [Status.Cause(message: message)])))
  }

  /// - Parameter retryAfter: only when nothing was written; nil otherwise.
  package static func serviceUnavailable(_ message: String = "the server is currently unable to handle the request", retryAfter: Int?)
    -> StatusError
  {
    StatusError(
      Status(code: 503, reason: "ServiceUnavailable", message: message, details: retryAfter.map { Status.Details(retryAfterSeconds: $0) }),
      retryAfter: retryAfter)
  }

  /// 504 with a text that says what did not answer in time. Never with Retry-After: whether something was written is not known.
  package static func timeout(_ message: String) -> StatusError {
    StatusError(Status(code: 504, reason: "Timeout", message: "Timeout: \(message)", details: Status.Details()))
  }

  /// The request's own deadline has passed.
  package static let deadlineExceeded = deadlineExceeded(waitingFor: nil)

  /// - Parameter waitingFor: a sentence on what took so long, where that is known.
  package static func deadlineExceeded(waitingFor: String?) -> StatusError {
    let message = "the server was unable to return a response in the time allotted, but may still be processing the request"
    return StatusError(
      Status(code: 504, reason: "Timeout", message: waitingFor.map { "\(message): \($0)" } ?? message, details: Status.Details()))
  }

  /// A version newer than any that we know; the cause makes client-go list afresh (kubernetes-wire L5).
  package static func resourceVersionTooLarge(requested: UInt64, current: UInt64) -> StatusError {
    StatusError(
      Status(
        code: 504, reason: "Timeout", message: "Timeout: Too large resource version: \(requested), current: \(current)",
        details: Status.Details(
          causes: [Status.Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")], retryAfterSeconds: 1)),
      retryAfter: 1)
  }

  private static let maximumFieldErrors = 100

  /// `workflows.workflow.example.com`; the core group adds nothing.
  static func qualified(_ resource: String, _ group: String) -> String { group.isEmpty ? resource : "\(resource).\(group)" }
}
