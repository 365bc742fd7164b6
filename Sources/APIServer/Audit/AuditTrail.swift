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
      requestURI: AuditBody.shortened(request.query.isEmpty ? request.path : "\(request.path)?\(request.query)", to: Self.maximumURI),
      verb: info.verb, user: user, sourceIPs: SourceAddresses.of(request),
      userAgent: AuditBody.shortened(request.headers["User-Agent"] ?? "", to: 1024), requestReceived: received, stageTime: received)
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

  /// - Parameter wasHandled: a handler read it. Only then it is looked into here: what nobody may send does not get to fill the log, nor to make work.
  func complete(_ response: HTTPResponse, notes: [String: String], wasHandled: Bool = false) async {
    guard wants(.responseComplete) else { return }
    // A body that the handler could not read is none to us.
    let isRead = wasHandled && ![400, 406, 413, 415].contains(response.status)
    await auditor.write(answered(.responseComplete, response, notes, isRead: isRead).line)
  }

  /// A second event, of a write that went on after its client was told that there was no time: what came of it.
  func endedLate(_ response: HTTPResponse, notes: [String: String]) async {
    guard wants(.responseComplete) else { return }
    let status = AuditBody.answer(HTTPResponse(.deadlineExceeded), isWrite: true).status
    var event = answered(.responseComplete, response, notes, isRead: true)
    let result = [event.responseStatus?["code"]?.int.map(String.init), event.responseStatus?["reason"]?.string]
    event.annotations["\(info.group)/late-result"] = result.compactMap { $0 }.joined(separator: " ")
    event.responseStatus = status
    // The first event has it.
    event.requestObject = nil
    await auditor.write(event.line)
  }

  /// The end of a body that was sent piece by piece; called where nothing may wait.
  func ended(status: Int, notes: [String: String]) {
    guard wants(.responseComplete) else { return }
    auditor.writeNow(answered(.responseComplete, HTTPResponse(status: status), notes).line)
  }

  /// Nobody was authenticated: the one event says what was tried, never with which words.
  func refused(_ response: HTTPResponse) async {
    guard wants(.responseComplete) else { return }
    var event = answered(.responseComplete, response, [:])
    if response.status == 401 { event.responseStatus?["message"] = .string(Self.attempts(request)) }
    await auditor.write(event.line)
  }

  private func wants(_ stage: AuditStage) -> Bool { !decision.omitStages.contains(stage) }

  private func answered(_ stage: AuditStage, _ response: HTTPResponse, _ requestNotes: [String: String], isRead: Bool = false)
    -> AuditEvent
  {
    var event = event
    event.stage = stage
    event.stageTime = auditor.clock.now
    let isWrite = ["create", "update", "patch", "delete", "deletecollection"].contains(info.verb)
    let answer = AuditBody.answer(response, isWrite: isWrite)
    event.responseStatus = answer.status
    event.annotations = requestNotes.merging(notes.withLock { $0 }) { $1 }
    guard info.isResourceRequest else { return event }
    let needsObject = isRead && isWrite && (decision.level >= .request || info.verb == "create" || info.verb == "update")
    let sent =
      needsObject ? AuditBody.json(request.body, type: request.headers["Content-Type"], omitManagedFields: decision.omitManagedFields) : nil
    // As upstream the request's own object tells most; what the server made of it, a generated name and the uid, comes from the answer.
    func fill(_ field: WritableKeyPath<AuditEvent.ObjectReference, String>, _ values: String?...) {
      guard event.objectRef?[keyPath: field].isEmpty ?? false else { return }
      guard let value = values.lazy.compactMap({ $0 }).first(where: { !$0.isEmpty }) else { return }
      event.objectRef?[keyPath: field] = AuditBody.cut(value, to: Self.maximumName)
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

  /// Longer ones are nobody's names.
  private static let maximumName = 253
  /// Anybody may send a megabyte of them.
  private static let maximumURI = 8192
}
