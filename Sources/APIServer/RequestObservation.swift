internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import Logging
internal import Synchronization
internal import Translation

/// What is kept of one request for those who look on from outside: metrics, audit and the log. The way of the request does not depend on it, but for
/// waiting where the audit log is full.
final class RequestObservation: Sendable {
  /// Who looks on.
  struct Observers: Sendable {
    let metrics: ServerMetrics
    let requests: RequestMetrics
    let auditor: Auditor?
    let logger: Logger
    let clock: any TimeSource
  }

  private struct State {
    var user: UserInfo?
    var trail: AuditTrail?
    var context: RequestContext?
    var lease: WatchLimit.Lease?
    var place: InFlightLimit.Place?
    var isTerminated = false
    var isDecided = false
  }

  let auditID: String
  let began: Timestamp
  private let request: HTTPRequest
  private let info: RequestInfo?
  private let labels: RequestLabels
  private let observers: Observers
  private let state = Mutex(State())

  init(_ request: HTTPRequest, _ info: RequestInfo?, _ query: QueryParameters, _ observers: Observers) {
    self.request = request
    self.info = info
    self.observers = observers
    auditID = AuditID.of(request)
    began = observers.clock.now
    labels = RequestLabels(request, info, query, targets: observers.requests.targets)
  }

  // MARK: On the way

  func authenticated(_ user: UserInfo, _ info: RequestInfo) async {
    observers.metrics.attempts.add(at: 0)
    observers.metrics.countUser(user.name)
    if let expires = request.peer.certificate?.notAfter {
      observers.metrics.clientCertificateExpiration.observe(.seconds(expires) - .microseconds(began.microseconds))
    }
    let trail = observers.auditor?.trail(request, info, user: user, auditID: auditID, received: began)
    state.withLock {
      $0.user = user
      $0.trail = trail
    }
    await trail?.received()
  }

  func notAuthenticated(_ error: StatusError, _ info: RequestInfo) async {
    observers.metrics.attempts.add(at: error.code == 401 ? 1 : 2)
    let trail = observers.auditor?.trail(request, info, user: nil, auditID: auditID, received: began)
    await trail?.refused(HTTPResponse(error))
  }

  /// The first decision of a request is its own; what a verb asks for besides says no more.
  func authorized(_ decision: AuthorizationDecision) {
    guard
      state.withLock({ state in
        defer { state.isDecided = true }
        return !state.isDecided
      })
    else { return }
    observers.metrics.decisions.add(at: decision.isAllowed ? 0 : 1)
    note("authorization.k8s.io/decision", decision.isAllowed ? "allow" : "forbid")
    note("authorization.k8s.io/reason", decision.reason)
  }

  func notDecided() {
    observers.metrics.decisions.add(at: 2)
    note("authorization.k8s.io/reason", "internal error")
  }

  /// It was allowed, and a handler reads it: its notes, and what was sent, go into the events of the answer.
  func handled(with context: RequestContext) { state.withLock { $0.context = context } }

  /// Is given back when the answer has ended.
  func holds(_ lease: WatchLimit.Lease) { state.withLock { $0.lease = lease } }

  /// Is given back with ``leave()``.
  func holds(_ place: InFlightLimit.Place) { state.withLock { $0.place = place } }

  /// We ended it in self-defence.
  func terminated() { state.withLock { $0.isTerminated = true } }

  private func note(_ name: String, _ value: String) { state.withLock { $0.trail }?.note(name, value) }

  // MARK: The end

  /// - Returns: the answer, a streamed body so that its end is seen.
  func answered(_ response: HTTPResponse) async -> HTTPResponse {
    let state = state.withLock { $0 }
    log(response, state)
    let trail = state.trail
    guard case .stream(let body) = response.body else {
      state.lease?.giveBack()
      record(response, isTerminated: state.isTerminated)
      if let trail {
        let notes = state.context?.auditAnnotations ?? [:]
        if info?.isLongRunning ?? false { await trail.started(response, notes: notes) }
        await trail.complete(response, notes: notes, wasHandled: state.context != nil)
      }
      return response
    }
    if let trail { await trail.started(response, notes: state.context?.auditAnnotations ?? [:]) }
    return streamed(response, body, state)
  }

  /// A write ended whose client was told long ago that there was no time. Metrics have counted it; the log has not heard which run was touched.
  func endedLate(_ response: HTTPResponse) async {
    let state = state.withLock { $0 }
    await state.trail?.endedLate(response, notes: state.context?.auditAnnotations ?? [:])
  }

  /// Nothing is done for the request any more, but for a write that goes on after its time.
  func leave() {
    let place = state.withLock { state in
      defer { state.place = nil }
      return state.place
    }
    place?.leave()
  }

  /// Keeps only what the end needs: there are thousands of idle watches, and this object holds the whole request.
  private func streamed(_ response: HTTPResponse, _ body: any HTTPBodyStream, _ state: State) -> HTTPResponse {
    let (requests, labels, clock, began, lease, trail) = (observers.requests, labels, observers.clock, began, state.lease, state.trail)
    let context = trail == nil ? nil : state.context
    let status = response.status
    requests.beginLongRunning(labels)
    var line: (@Sendable (Int) -> Void)?
    if labels.verb == .watch { line = { requests.recordWatchEvent(labels.target, bytes: $0) } }
    var response = response
    response.body = .stream(
      ObservedBody(body, line: line) { how in
        requests.endLongRunning(labels)
        lease?.giveBack()
        let outcome = RequestMetrics.Outcome(
          code: status, duration: clock.now - began, requestBytes: 0, responseBytes: 0, isAborted: how == .aborted)
        requests.record(labels, outcome)
        trail?.ended(status: status, notes: context?.auditAnnotations ?? [:])
      })
    return response
  }

  private func record(_ response: HTTPResponse, isTerminated: Bool) {
    var size = 0
    if case .bytes(let bytes) = response.body { size = bytes.count }
    observers.requests.record(
      labels,
      RequestMetrics.Outcome(
        code: response.status, duration: observers.clock.now - began, requestBytes: request.body.count, responseBytes: size,
        isTerminated: isTerminated))
  }

  private func log(_ response: HTTPResponse, _ state: State) {
    observers.logger.debug(
      "request",
      metadata: [
        "method": "\(request.method)", "path": "\(request.path)", "status": "\(response.status)", "user": "\(state.user?.name ?? "")",
        "audit-id": "\(auditID)", "microseconds": "\((observers.clock.now - began).inMicroseconds)",
      ])
  }
}

/// Tells the observation what was decided.
struct ObservedAuthorizer: Authorizer {
  let authorizer: any Authorizer
  let observation: RequestObservation

  func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision {
    do throws(StatusError) {
      let decision = try await authorizer.authorize(attributes)
      observation.authorized(decision)
      return decision
    } catch {
      observation.notDecided()
      throw error
    }
  }
}
