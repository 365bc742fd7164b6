internal import HTTPMessage
internal import JSON
internal import KubeWire
internal import OrderedCollections
internal import Synchronization
internal import Translation

/// The events of one request that the policy wants.
final class AuditTrail: Sendable {
  private let auditor: Auditor
  private let decision: AuditPolicy.Decision
  private let request: HTTPRequest
  private let info: RequestInfo
  private let event: AuditEvent
  private let notes = Mutex<[String: String]>([:])

  init(
    _ auditor: Auditor, _ decision: AuditPolicy.Decision, _ request: HTTPRequest, _ info: RequestInfo, user: UserInfo?, auditID: String,
    received: Timestamp
  ) {
    self.auditor = auditor
    self.decision = decision
    self.request = request
    self.info = info
    var event = AuditEvent(
      level: decision.level, auditID: auditID, stage: .requestReceived,
      requestURI: request.query.isEmpty ? request.path : "\(request.path)?\(request.query)", verb: info.verb, user: user,
      sourceIPs: SourceAddresses.of(request), userAgent: Self.shortened(request.headers["User-Agent"] ?? ""), requestReceived: received,
      stageTime: received)
    if info.isResourceRequest {
      event.objectRef = AuditEvent.ObjectReference(
        resource: info.resource, namespace: info.namespace ?? "", name: info.name, apiGroup: info.group, apiVersion: info.version,
        subresource: info.subresource)
    }
    self.event = event
  }

  /// The first value of a name stays.
  func note(_ name: String, _ value: String) { notes.withLock { if $0[name] == nil { $0[name] = value } } }

  func received() async {
    guard wants(.requestReceived) else { return }
    await auditor.write(event.line)
  }

  /// The head of an answer that takes long.
  func started(_ response: HTTPResponse, notes: [String: String]) async {
    guard wants(.responseStarted) else { return }
    await auditor.write(answered(.responseStarted, response, notes).line)
  }

  func complete(_ response: HTTPResponse, notes: [String: String]) async {
    guard wants(.responseComplete) else { return }
    await auditor.write(answered(.responseComplete, response, notes).line)
  }

  /// The end of a body that was sent piece by piece; called where nothing may wait.
  func ended(status: Int, notes: [String: String]) {
    guard wants(.responseComplete) else { return }
    auditor.writeNow(answered(.responseComplete, HTTPResponse(status: status), notes).line)
  }

  /// Nobody was authenticated: the one event says what was tried, never with which words.
  func refused(_ response: HTTPResponse) async {
    guard wants(.responseComplete) else { return }
    // Whoever that was does not get to write the log: what they sent stays out of it.
    var event = answered(.responseComplete, response, [:], isTrusted: false)
    if response.status == 401 { event.responseStatus?["message"] = .string(Self.attempts(request)) }
    await auditor.write(event.line)
  }

  private func wants(_ stage: AuditStage) -> Bool { !decision.omitStages.contains(stage) }

  private func answered(_ stage: AuditStage, _ response: HTTPResponse, _ requestNotes: [String: String], isTrusted: Bool = true)
    -> AuditEvent
  {
    var event = event
    event.stage = stage
    event.stageTime = auditor.clock.now
    let isWrite = ["create", "update", "patch", "delete", "deletecollection"].contains(info.verb)
    let answer = AuditBody.answer(response, isWrite: isWrite)
    event.responseStatus = answer.status
    event.annotations = requestNotes.merging(notes.withLock { $0 }) { $1 }
    guard info.isResourceRequest, isTrusted else { return event }
    let needsObject = isWrite && (decision.level >= .request || info.verb == "create" || info.verb == "update")
    let sent =
      needsObject ? AuditBody.json(request.body, type: request.headers["Content-Type"], omitManagedFields: decision.omitManagedFields) : nil
    // As upstream the request's own object tells most; what the server made of it, a generated name and the uid, comes from the answer.
    func fill(_ field: WritableKeyPath<AuditEvent.ObjectReference, String>, _ values: String?...) {
      guard event.objectRef?[keyPath: field].isEmpty ?? false else { return }
      if let value = values.lazy.compactMap({ $0 }).first(where: { !$0.isEmpty }) { event.objectRef?[keyPath: field] = value }
    }
    let metadata = info.verb == "create" || info.verb == "update" ? sent?["metadata"] : nil
    fill(\.name, metadata?["name"]?.string, info.verb == "deletecollection" ? nil : answer.name)
    fill(\.uid, metadata?["uid"]?.string, info.verb == "deletecollection" ? nil : answer.uid)
    fill(\.resourceVersion, metadata?["resourceVersion"]?.string)
    if decision.level >= .request { event.requestObject = sent }
    if decision.level >= .requestResponse, case .bytes(let bytes) = response.body {
      event.responseObject = AuditBody.json(bytes, type: response.headers["Content-Type"], omitManagedFields: decision.omitManagedFields)
    }
    return event
  }

  private static func attempts(_ request: HTTPRequest) -> String {
    var methods: [String] = []
    let scheme = request.headers["Authorization"]?.prefix { $0 != " " }.lowercased()
    if scheme == "basic" || scheme == "bearer", let scheme { methods.append(scheme) }
    if request.peer.certificate != nil { methods.append("x509") }
    return methods.isEmpty
      ? "Authentication failed, no credentials provided" : "Authentication failed, attempted: \(methods.joined(separator: ", "))"
  }

  private static func shortened(_ agent: String) -> String {
    agent.utf8.count <= 1024 ? agent : String(decoding: agent.utf8.prefix(1024), as: UTF8.self) + "...TRUNCATED"
  }
}
