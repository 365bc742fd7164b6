internal import JSON
internal import OrderedCollections

/// The API's verbs: each reads its request, makes one turn of the engine and writes what came of it.
struct EngineAPI {
  let shell: EngineShell

  enum JobAction: String {
    case cancel, retry, rerun, suspend, resume, setState
  }

  static func health() -> Answer {
    .full(FullAnswer(status: 200, body: Array("{\"status\":\"ok\",\"version\":\"\(EngineVersion.current)\"}".utf8)))
  }

  func version() -> Answer {
    var json = JSONWriter()
    json.beginObject()
    json.member("name", "workflow-engine")
    json.member("version", EngineVersion.current)
    json.member("apiVersion", "v1")
    json.member("startedAt", shell.startedAt.description)
    json.member("now", shell.now().description)
    json.member("durable", shell.isDurable)
    json.member("faultsAllowed", shell.settings.allowFaults)
    json.member("latestSeq", shell.state.seq)
    json.endObject()
    return .full(FullAnswer(status: 200, body: json.bytes))
  }

  // MARK: - Jobs

  func create(_ request: EngineRequest, mustSchedule: Bool) throws(EngineError) -> Answer {
    let body = try JobRequest(request.json().root, mustSchedule: mustSchedule)
    let created = try shell.turn { (state, now) throws(EngineError) in try state.create(body, now: now) }
    switch created {
    case .job(let job, let isNew):
      var headers = [("Location", "/v1/jobs/\(job.id)")]
      if !isNew { headers.append(("Idempotent-Replay", "true")) }
      return written(request, status: isNew ? 201 : 200, headers: headers) { $0.job(job) }
    case .schedule(let schedule, let isNew):
      var headers = [("Location", "/v1/schedules/\(schedule.id)")]
      if !isNew { headers.append(("Idempotent-Replay", "true")) }
      return written(request, status: isNew ? 201 : 200, headers: headers) { $0.schedule(schedule) }
    }
  }

  func getJob(_ id: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let job = try shell.state.job(id)
    return written(request) { $0.job(job) }
  }

  func listJobs(_ request: EngineRequest) throws(EngineError) -> Answer {
    let page = try shell.state.listJobs(ListQuery(request.target))
    return written(page, request) { $0.job($1) }
  }

  func patchJob(_ id: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let patch = try ObjectPatch(request.json().root)
    let job = try shell.turn { (state, _) throws(EngineError) in try state.patch(id, patch) }
    return written(request) { $0.job(job) }
  }

  func deleteJob(_ id: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let (job, seq) = try shell.turn { (state, now) throws(EngineError) in (try state.delete(id, now: now), state.seq) }
    return deleted(job.id, seq: seq)
  }

  func act(_ action: JobAction, on id: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let document = try request.optionalJSON()
    var fields = try FieldReader(document.root)
    let reason = action == .cancel ? try fields.string("reason") : nil
    let grace = action == .cancel ? try fields.int("graceSeconds", in: 0...3600) : nil
    let message = action == .setState ? try fields.string("message") : nil
    let word = action == .setState ? try fields.string("state") : nil
    try fields.finish()
    let wanted = word.flatMap(JobState.init)
    if action == .setState, wanted == nil { throw .invalid("state", "must be running, succeeded, failed or cancelled") }
    let job = try shell.turn { (state, now) throws(EngineError) in
      switch action {
      case .cancel: try state.cancel(id, reason: reason, grace: grace.map { .seconds($0) }, now: now)
      case .retry: try state.retry(id, now: now)
      case .rerun: try state.rerun(id, now: now)
      case .suspend: try state.suspend(id)
      case .resume: try state.resume(id, now: now)
      case .setState: try state.setState(id, to: wanted!, message: message, now: now)
      }
    }
    return written(request, status: action == .rerun ? 201 : 200) { $0.job(job) }
  }

  func log(_ id: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let query = try LogQuery(request.target)
    return .log(job: id, query, try LogFilter(query, job: try shell.state.job(id)))
  }

  /// The job for people's eyes.
  func page(_ id: String) throws(EngineError) -> Answer {
    let job = try shell.state.job(id)
    var text = "job \(job.id)\(job.name.map { " (\($0))" } ?? "")\n"
    text += "state    \(job.state.rawValue)\n"
    if let message = job.message { text += "message  \(message)\n" }
    for warning in job.warnings { text += "warning  \(warning)\n" }
    text += "attempt  \(job.attempt)\ncreated  \(job.createdAt)\n"
    if let startedAt = job.startedAt { text += "started  \(startedAt)\n" }
    if let finishedAt = job.finishedAt { text += "finished \(finishedAt)\n" }
    for step in job.steps {
      text += "  \(step.spec.name): \(step.state.rawValue)\(step.message.map { " (\($0))" } ?? "")\n"
    }
    return .full(FullAnswer(status: 200, contentType: "text/plain; charset=utf-8", body: Array(text.utf8)))
  }

  // MARK: - Schedules

  func getSchedule(_ id: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let schedule = try shell.state.schedule(id)
    return written(request) { $0.schedule(schedule) }
  }

  func listSchedules(_ request: EngineRequest) throws(EngineError) -> Answer {
    let page = try shell.state.listSchedules(ListQuery(request.target))
    return written(page, request) { $0.schedule($1) }
  }

  func patchSchedule(_ id: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let patch = try ObjectPatch(request.json().root)
    let schedule = try shell.turn { (state, _) throws(EngineError) in try state.patchSchedule(id, patch) }
    return written(request) { $0.schedule(schedule) }
  }

  func setScheduleSuspended(_ id: String, _ suspended: Bool, _ request: EngineRequest) throws(EngineError) -> Answer {
    let schedule = try shell.turn { (state, now) throws(EngineError) in try state.setScheduleSuspended(id, suspended, now: now) }
    return written(request) { $0.schedule(schedule) }
  }

  func deleteSchedule(_ id: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let (schedule, seq) = try shell.turn { (state, now) throws(EngineError) in (try state.deleteSchedule(id, now: now), state.seq) }
    return deleted(schedule.id, seq: seq)
  }

  // MARK: - Templates

  func listTemplates(_ request: EngineRequest) throws(EngineError) -> Answer {
    var limit = 1000
    var after: String?
    for (name, value) in request.target.query {
      switch name {
      case "limit":
        guard let number = Int(value), number > 0 else { throw .invalid(name, "must be a whole number above 0") }
        limit = min(number, 1000)
      case "cursor": after = value
      default: throw .invalid(name, "is no parameter of this list")
      }
    }
    let names = shell.state.templates.keys.sorted().filter { name in after.map { name > $0 } ?? true }
    return written(request) { writer in
      writer.json.beginObject()
      writer.json.name("items")
      writer.json.beginArray()
      for name in names.prefix(limit) { writer.template(shell.state.templates[name]!) }
      writer.json.endArray()
      if names.count > limit { writer.json.member("nextCursor", names[limit - 1]) }
      writer.json.endObject()
    }
  }

  func getTemplate(_ name: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let template = try shell.state.template(name)
    return written(request) { $0.template(template) }
  }

  func putTemplate(_ name: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    let template = try TemplateRequest.template(request.json().root, name: name, now: shell.now())
    let put = try shell.turn { (state, _) throws(EngineError) in try state.putTemplate(template) }
    return written(request, status: put.isNew ? 201 : 200) { $0.template(put.template) }
  }

  func deleteTemplate(_ name: String, _ request: EngineRequest) throws(EngineError) -> Answer {
    _ = try shell.turn { (state, _) throws(EngineError) in try state.deleteTemplate(name) }
    return deleted(name, seq: nil)
  }

  // MARK: - Faults

  func listFaults() throws(EngineError) -> Answer {
    try requireFaults()
    var json = JSONWriter()
    json.beginObject()
    json.member("faults", shell.faults.faults.map(\.text))
    json.endObject()
    return .full(FullAnswer(status: 200, body: json.bytes))
  }

  func putFaults(_ request: EngineRequest) throws(EngineError) -> Answer {
    try requireFaults()
    let document = try request.json()
    var fields = try FieldReader(document.root)
    let texts = try fields.strings("faults")
    try fields.finish()
    var faults: [Fault] = []
    for text in texts { faults.append(try Fault(text)) }
    try shell.set(faults: faults)
    return try listFaults()
  }

  func clearFaults() throws(EngineError) -> Answer {
    try requireFaults()
    try shell.set(faults: [])
    return try listFaults()
  }

  private func requireFaults() throws(EngineError) {
    if !shell.settings.allowFaults {
      throw EngineError(status: 403, code: "faultsDisabled", message: "the engine was started without --allow-faults")
    }
  }

  // MARK: - Writing

  private func written(
    _ request: EngineRequest, status: Int = 200, headers: [(String, String)] = [], _ body: (inout ObjectWriter) -> Void
  ) -> Answer {
    var writer = ObjectWriter(.client(clockSkew: request.clockSkew, pages: shell.pages))
    body(&writer)
    return .full(FullAnswer(status: status, headers: headers, body: writer.json.bytes))
  }

  private func written<Object>(
    _ page: EngineState.Page<Object>, _ request: EngineRequest, _ write: (inout ObjectWriter, Object) -> Void
  ) -> Answer {
    written(request) { writer in
      writer.json.beginObject()
      writer.json.name("items")
      writer.json.beginArray()
      for item in page.items {
        switch item {
        case .object(let object): write(&writer, object)
        case .deleted(let id, let seq, let at):
          writer.json.beginObject()
          writer.json.member("id", id)
          writer.json.member("deleted", true)
          writer.json.member("seq", seq)
          writer.time("deletedAt", at)
          writer.json.endObject()
        }
      }
      writer.json.endArray()
      writer.json.member("nextCursor", page.nextCursor)
      writer.json.member("latestSeq", page.latestSeq)
      if let complete = page.deletionsComplete {
        writer.json.member("deletionsComplete", complete)
        writer.json.member("deletionsCoveredFrom", page.coveredFrom)
      }
      writer.json.endObject()
    }
  }

  private func deleted(_ id: String, seq: Int64?) -> Answer {
    var json = JSONWriter()
    json.beginObject()
    json.member("id", id)
    json.member("deleted", true)
    json.member("seq", seq)
    json.endObject()
    return .full(FullAnswer(status: 200, body: json.bytes))
  }
}
