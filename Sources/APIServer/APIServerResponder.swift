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
    /// In JSON where it is not a stream: what audit and metrics look at.
    var response: HTTPResponse
    var warnings: [String] = []
    /// The same in the forms of ``ContentCoding``, where that is done already.
    var coded: HTTPResponse?

    func coded(_ coding: ContentCoding) async -> Answer {
      guard case .bytes = response.body else { return self }
      return Answer(response: response, warnings: warnings, coded: await coding.coded(response))
    }
  }

  package let health: HealthChecks
  private let services: APIRequest.Services
  private let documents: DocumentSet
  private let access: Access
  private let inFlight: InFlightLimit
  private let watches: WatchLimit
  private let observers: RequestObservation.Observers

  /// - Parameters:
  ///   - metrics: what `/metrics` shows beside the requests, which join here.
  ///   - auditor: nil audits nothing.
  ///   - clock: of deadlines, watches and ages.
  ///   - random: a number from 0 up to 1; spreads the ends of watches.
  package init(
    gateway: Gateway, configuration: APIServerConfiguration = APIServerConfiguration(), authenticator: any Authenticator,
    authorizer: any Authorizer, metrics: ServerMetrics = ServerMetrics(), auditor: Auditor? = nil, logger: Logger,
    clock: any TimeSource = SystemClock(), random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
  ) {
    access = Access(authenticator: authenticator, authorizer: authorizer, alwaysAllowPaths: configuration.alwaysAllowPaths)
    services = APIRequest.Services(
      gateway: gateway, configuration: configuration, access: access, clock: clock, events: WatchEventEncoder(), random: random)
    documents = DocumentSet(configuration)
    inFlight = InFlightLimit(
      readOnly: configuration.maximumRequestsInFlight, mutating: configuration.maximumMutatingRequestsInFlight)
    watches = WatchLimit(configuration.maximumWatchesPerUser)
    health = HealthChecks(ready: [HealthChecks.Check("gateway") { gateway.isReady }])
    let requests = RequestMetrics(MetricTargets(configuration.group, paths: documents.paths))
    observers = RequestObservation.Observers(metrics: metrics, requests: requests, auditor: auditor, logger: logger, clock: clock)
    metrics.add(requests)
    metrics.add(GatewayMetrics(gateway: gateway, group: configuration.group.name, clock: clock))
    metrics.add(Self.inFlightMetrics(inFlight, clock))
  }

  private static func inFlightMetrics(_ limit: InFlightLimit, _ clock: any TimeSource) -> CollectedMetrics {
    let description = MetricDescription(
      "apiserver_current_inflight_requests", .gauge, labels: ["request_kind"], "The most requests at one time in the last second.")
    return CollectedMetrics([
      .init(description) { InFlightLimit.Kind.allCases.map { .init(Double(limit.recent($0, now: clock.now)), labels: [$0.rawValue]) } }
    ])
  }

  /// HEAD is answered like GET; the server leaves the body out.
  package func respond(to request: HTTPRequest) async -> HTTPResponse {
    let target = WatchPrefix.replaced(in: request)
    let query = QueryParameters(target.query)
    let info = RequestInfo.isTooLong(request.path) ? nil : RequestInfo(method: request.method, path: target.path, query: query)
    let observation = RequestObservation(request, info, query, observers)
    // Who got a place has it until the answer is written down and in its last form: that is work, too.
    defer { observation.leave() }
    var answer: Answer
    do throws(StatusError) {
      answer = try await self.answer(to: request, info, query, observation)
    } catch {
      answer = Answer(response: HTTPResponse(error))
    }
    let observed = await observation.answered(answer.response)
    var response: HTTPResponse
    if let coded = answer.coded { response = coded } else { response = await ContentCoding(request, query).coded(observed) }
    finish(&response, auditID: observation.auditID, warnings: answer.warnings)
    return response
  }

  /// The filters in their order, as kube-apiserver has them: who asks, how long it may take, whether there is room, whether they may.
  ///
  /// - Parameter readable: nil for a path that is none. Who asked for it is found out and written down all the same.
  private func answer(to request: HTTPRequest, _ readable: RequestInfo?, _ query: QueryParameters, _ observation: RequestObservation)
    async throws(StatusError) -> Answer
  {
    let user = try await authenticated(request, readable ?? RequestInfo(unreadable: request.path, method: request.method), observation)
    guard let info = readable else { throw RequestInfo.refusal(ofPath: request.path) }
    let timeout =
      info.isLongRunning
      ? services.configuration.requestTimeout : try Deadline.duration(query, maximum: services.configuration.requestTimeout)
    let place = try enter(info, user, observation)
    try await authorize(user, info, observation)
    guard info.isResourceRequest else { return Answer(response: try document(request, info, query)) }
    let context = RequestContext(user: user, now: observation.began, deadline: observation.began + timeout)
    do throws(StatusError) {
      return try await resource(request, info, query, context: context, place: place, observation)
    } catch {
      guard error == .deadlineExceeded else { throw error }
      observation.terminated()
      throw .deadlineExceeded(waitingFor: context.waitsFor)
    }
  }

  private func authenticated(_ request: HTTPRequest, _ info: RequestInfo, _ observation: RequestObservation)
    async throws(StatusError) -> UserInfo
  {
    let user: UserInfo
    do throws(StatusError) {
      user = try await access.user(of: request)
    } catch {
      await observation.notAuthenticated(error, info)
      throw error
    }
    await observation.authenticated(user, info)
    try access.refuseImpersonation(request, by: user)
    return user
  }

  private func authorize(_ user: UserInfo, _ info: RequestInfo, _ observation: RequestObservation) async throws(StatusError) {
    let access = Access(
      authenticator: access.authenticator, authorizer: ObservedAuthorizer(authorizer: access.authorizer, observation: observation),
      alwaysAllowPaths: access.alwaysAllowPaths)
    try await access.authorize(user, info)
    // Where nobody had to be asked.
    observation.authorized(.allowed)
  }

  /// - Returns: the place, which the observation gives back when the request is answered.
  /// - Throws: 429.
  private func enter(_ info: RequestInfo, _ user: UserInfo, _ observation: RequestObservation) throws(StatusError) -> InFlightLimit.Place? {
    // A probe that is turned away gets the server killed.
    if access.isAlwaysAllowed(info), HealthChecks.isHealthPath(info.path) { return nil }
    let isExempt = user.groups.contains("system:masters")
    do throws(StatusError) {
      if info.isLongRunning {
        observation.holds(try watches.enter(user.name, isExempt: isExempt))
        return nil
      }
      let place = try inFlight.enter(InFlightLimit.Kind(verb: info.verb), isExempt: isExempt, now: observation.began)
      observation.holds(place)
      return place
    } catch {
      observation.terminated()
      throw error
    }
  }

  private func document(_ request: HTTPRequest, _ info: RequestInfo, _ query: QueryParameters) throws(StatusError) -> HTTPResponse {
    let path = info.path.count > 1 && info.path.hasSuffix("/") ? String(info.path.dropLast()) : info.path
    let isHealth = HealthChecks.isHealthPath(path)
    guard isHealth || documents.contains(path) || path == "/" || path == "/metrics" else { throw .unknownPath }
    guard request.method == "GET" || request.method == "HEAD" else { throw .methodNotAllowed(allow: ["GET"]) }
    if isHealth { return try health.response(path, query: query) }
    switch path {
    case "/":
      let paths = (documents.paths + ["/healthz", "/livez", "/metrics", "/readyz"]).sorted()
      return .json(JSONValue.object(["paths": .array(paths.map { .string($0) })]).encoded)
    case "/metrics":
      // Whatever the scraper would like best, such as OpenMetrics, every one takes this.
      return HTTPResponse(status: 200, headers: ["Content-Type": MetricsText.contentType], body: .bytes(observers.metrics.text))
    default: return try documents.response(path, to: request, query: query)
    }
  }

  private func resource(
    _ request: HTTPRequest, _ info: RequestInfo, _ query: QueryParameters, context: RequestContext, place: InFlightLimit.Place?,
    _ observation: RequestObservation
  ) async throws(StatusError) -> Answer {
    let group = services.configuration.group
    guard info.group == group.name, info.version == group.version, let kind = group.kind(plural: info.resource),
      let resource = Resource(rawValue: info.resource)
    else { throw .unknownPath }
    let handler = try Routes.route(info, kind: kind)
    try info.checkName()
    try WebSocketUpgrade.refuse(request, info, query)
    // Never 404 for an object that is perhaps only not known yet: the garbage collector deletes what it owns (kubernetes-wire D7, G5).
    guard services.gateway.isReady else { throw .serviceUnavailable("the server is starting", retryAfter: 1) }
    guard request.body.count <= services.configuration.maximumBody else {
      throw .requestEntityTooLarge(limit: services.configuration.maximumBody)
    }
    let apiRequest = APIRequest(
      http: request, info: info, query: query, kind: kind, resource: resource, context: context, services: services)
    observation.handled(with: context)
    let work: @Sendable () async throws(StatusError) -> Answer = { () async throws(StatusError) in
      do throws(StatusError) {
        return Answer(response: try await handler.handle(apiRequest), warnings: context.warnings)
      } catch {
        return Answer(response: HTTPResponse(error), warnings: context.warnings)
      }
    }
    if info.isLongRunning { return try await work() }
    // A long list takes longer to code than to find: also for that the request has its place and its deadline.
    var coding = ContentCoding(request, query)
    coding.mediaType = apiRequest.mediaType
    let isRead = info.verb == "get" || info.verb == "list"
    // What is found in memory cannot be late.
    let found: Answer? = try await isRead && query["resourceVersion"] == "0" ? work() : nil
    if let found, !coding.takesTime(found.response) { return await found.coded(coding) }
    return try await Deadline.run(until: context.deadline, clock: services.clock, isWrite: !isRead, place: place) {
      [coding] () async throws(StatusError) in
      let answer: Answer
      if let found { answer = found } else { answer = try await work() }
      return await answer.coded(coding)
    } late: { answer in
      await observation.endedLate(answer.response)
    }
  }

  /// The headers that every answer has.
  private func finish(_ response: inout HTTPResponse, auditID: String, warnings: [String]) {
    if response.headers["Cache-Control"] == nil { response.headers["Cache-Control"] = "no-cache, private" }
    response.headers["Audit-Id"] = auditID
    for value in WarningHeader.values(warnings) { response.headers.add("Warning", value) }
  }
}
