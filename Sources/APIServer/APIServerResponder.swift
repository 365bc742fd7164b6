package import HTTPMessage
internal import JSON
internal import KubeWire
package import Logging
internal import OrderedCollections
package import Translation

/// Answers every request of the Kubernetes API: the filters in their order, then a document or a handler. Whatever is thrown on the way becomes a
/// Status here, and nowhere else; no answer is empty, none is a redirect.
package final class APIServerResponder: HTTPResponder {
  /// An answer, and the warnings that go with it.
  struct Answer: Sendable {
    var response: HTTPResponse
    var warnings: [String] = []
  }

  package let health: HealthChecks
  private let services: APIRequest.Services
  private let documents: DocumentSet
  private let access: Access
  private let limit: InFlightLimit
  private let logger: Logger

  /// - Parameters:
  ///   - clock: of deadlines, watches and ages.
  ///   - random: a number from 0 up to 1; spreads the ends of watches.
  package init(
    gateway: Gateway, configuration: APIServerConfiguration = APIServerConfiguration(), authenticator: any Authenticator,
    authorizer: any Authorizer, logger: Logger, clock: any TimeSource = SystemClock(),
    random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
  ) {
    services = APIRequest.Services(
      gateway: gateway, configuration: configuration, clock: clock, events: WatchEventEncoder(), random: random)
    documents = DocumentSet(configuration)
    access = Access(authenticator: authenticator, authorizer: authorizer)
    limit = InFlightLimit(configuration.maximumRequestsInFlight)
    health = HealthChecks(ready: [HealthChecks.Check("gateway") { gateway.isReady }])
    self.logger = logger
  }

  /// HEAD is answered like GET; the server leaves the body out.
  package func respond(to request: HTTPRequest) async -> HTTPResponse {
    let began = services.clock.now
    let auditID = AuditID.of(request)
    var user = ""
    var answer: Answer
    do throws(StatusError) {
      answer = try await self.answer(to: request, began: began, user: &user)
    } catch {
      answer = Answer(response: HTTPResponse(error))
    }
    finish(&answer.response, request, auditID: auditID, warnings: answer.warnings)
    logger.debug(
      "request",
      metadata: [
        "method": "\(request.method)", "path": "\(request.path)", "status": "\(answer.response.status)", "user": "\(user)",
        "audit-id": "\(auditID)", "microseconds": "\((services.clock.now - began).inMicroseconds)",
      ])
    return answer.response
  }

  private func answer(to request: HTTPRequest, began: Timestamp, user name: inout String) async throws(StatusError) -> Answer {
    let query = QueryParameters(request.query)
    guard let info = RequestInfo(method: request.method, path: request.path, query: query) else { throw .unknownPath }
    let timeout =
      info.isLongRunning
      ? services.configuration.requestTimeout : try Deadline.duration(query, maximum: services.configuration.requestTimeout)
    let user = try await access.user(of: request)
    name = user.name
    // Documents and health are cheap, and a probe that is turned away gets the server killed.
    let isCounted = info.isResourceRequest && !info.isLongRunning
    if isCounted { try limit.enter() }
    defer { if isCounted { limit.leave() } }
    try await access.authorize(user, info)
    guard info.isResourceRequest else { return Answer(response: try document(request, info, query)) }
    return try await resource(
      request, info, query, context: RequestContext(user: user, now: began, deadline: began + timeout))
  }

  private func document(_ request: HTTPRequest, _ info: RequestInfo, _ query: QueryParameters) throws(StatusError) -> HTTPResponse {
    let path = info.path.count > 1 && info.path.hasSuffix("/") ? String(info.path.dropLast()) : info.path
    let isHealth = HealthChecks.isHealthPath(path)
    guard isHealth || documents.contains(path) || path == "/" else { throw .unknownPath }
    guard request.method == "GET" || request.method == "HEAD" else { throw .methodNotAllowed(allow: ["GET"]) }
    if isHealth { return try health.response(path, query: query) }
    if path == "/" {
      let paths = (documents.paths + ["/healthz", "/livez", "/readyz"]).sorted()
      return .json(JSONValue.object(["paths": .array(paths.map { .string($0) })]).encoded)
    }
    return try documents.response(path, to: request, query: query)
  }

  private func resource(_ request: HTTPRequest, _ info: RequestInfo, _ query: QueryParameters, context: RequestContext)
    async throws(StatusError) -> Answer
  {
    let group = services.configuration.group
    guard info.group == group.name, info.version == group.version, let kind = group.kind(plural: info.resource),
      let resource = Resource(rawValue: info.resource)
    else { throw .unknownPath }
    let handler = try Routes.route(info, kind: kind)
    // Never 404 for an object that is perhaps only not known yet: the garbage collector deletes what it owns (kubernetes-wire D7, G5).
    guard services.gateway.isReady else { throw .serviceUnavailable("the server is starting", retryAfter: 1) }
    guard request.body.count <= services.configuration.maximumBody else {
      throw .requestEntityTooLarge(limit: services.configuration.maximumBody)
    }
    let apiRequest = APIRequest(
      http: request, info: info, query: query, kind: kind, resource: resource, context: context, services: services)
    let work: @Sendable () async throws(StatusError) -> Answer = { () async throws(StatusError) in
      do throws(StatusError) {
        return Answer(response: try await handler.handle(apiRequest), warnings: context.warnings)
      } catch {
        return Answer(response: HTTPResponse(error), warnings: context.warnings)
      }
    }
    // What is answered from memory cannot be late.
    if info.isLongRunning || query["resourceVersion"] == "0" && (info.verb == "get" || info.verb == "list") { return try await work() }
    return try await Deadline.run(
      until: context.deadline, clock: services.clock, isWrite: !["get", "list"].contains(info.verb), work)
  }

  /// The headers that every answer has, and the forms that the client did not name in Accept.
  private func finish(_ response: inout HTTPResponse, _ request: HTTPRequest, auditID: String, warnings: [String]) {
    if response.headers["Cache-Control"] == nil { response.headers["Cache-Control"] = "no-cache, private" }
    response.headers["Audit-Id"] = auditID
    for value in WarningHeader.values(warnings) { response.headers.add("Warning", value) }
    ContentCoding.apply(to: &response, for: request)
  }
}
