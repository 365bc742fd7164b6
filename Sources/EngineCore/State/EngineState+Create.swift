internal import JSON
internal import OrderedCollections

extension EngineState {
  /// The answer to a create.
  enum Created: Sendable {
    case job(Job, isNew: Bool)
    case schedule(Schedule, isNew: Bool)
  }

  /// Takes a job, or a schedule where the request has one. A repeated request (same key, same body) gets what is there.
  mutating func create(_ request: JobRequest, now: Timestamp) throws(EngineError) -> Created {
    if let known = try existing(request) { return known }
    guard !isStopping else { throw EngineError(status: 503, code: "stopping", message: "the engine is stopping") }
    let work = try resolve(request)
    if let cron = request.schedule { return .schedule(try createSchedule(request, cron: cron, work: work, now: now), isNew: true) }
    var job = Job(id: ids.next(now: now), createdAt: now)
    job.name = request.name
    job.template = request.template
    job.createdBy = request.createdBy
    job.parameters = work.parameters
    job.timeoutSeconds = request.timeout ?? work.timeoutSeconds
    job.attachments = request.attachments
    job.idempotencyKey = request.idempotencyKey
    job.requestDigest = request.digest
    job.suspended = request.suspended
    let id = enter(job, steps: work.steps, now: now)
    return .job(jobs[id]!, isNew: true)
  }

  /// A new job with the template, steps, parameters, metadata and envelope of another, as an engine's "run again" makes it.
  mutating func rerun(_ id: String, now: Timestamp) throws(EngineError) -> Job {
    let original = try job(id)
    var job = Job(id: ids.next(now: now), createdAt: now)
    job.name = original.name
    job.template = original.template
    job.trigger = .rerun
    job.rerunOf = id
    job.parameters = original.parameters
    job.timeoutSeconds = original.timeoutSeconds
    job.attachments = original.attachments
    job.attachments.overlay = nil
    let copy = enter(job, steps: original.steps.map(\.spec), now: now)
    return jobs[copy]!
  }

  /// What a request asks to run: inline, or from its template.
  struct Work: Sendable {
    var steps: [StepSpec]
    var parameters: JSONObject
    var timeoutSeconds: Int64?
  }

  func resolve(template name: String?, steps: [StepSpec], parameters: JSONObject) throws(EngineError) -> Work {
    guard let name else { return Work(steps: steps, parameters: parameters) }
    guard let template = templates[name] else {
      throw EngineError(status: 422, code: "unknownTemplate", message: "template: there is no template \(name)", field: "template")
    }
    return Work(
      steps: template.steps, parameters: try ParameterSchema(template.parameters).completed(parameters),
      timeoutSeconds: template.timeoutSeconds)
  }

  /// Puts a new job in its place and starts it if a slot is free. - Returns: its id.
  mutating func enter(_ new: Job, steps: [StepSpec], now: Timestamp) -> String {
    var job = new
    job.steps = steps.map { Step($0) }
    let images = OrderedSet(steps.compactMap(\.image))
    job.warnings = images.map { "image \($0) ignored: this engine runs steps as local processes" }
    job.state = job.suspended ? .suspended : .queued
    put(job)
    if !job.suspended { queue.append(job.id) }
    admit(now: now)
    retire(now: now)
    return job.id
  }

  func job(_ id: String) throws(EngineError) -> Job {
    guard let job = jobs[id] else {
      var error = EngineError.notFound("job", id)
      if jobs.isBuried(id) { error.message += "; it was deleted" }
      throw error
    }
    return job
  }

  private func resolve(_ request: JobRequest) throws(EngineError) -> Work {
    try resolve(template: request.template, steps: request.steps, parameters: request.parameters)
  }

  private func existing(_ request: JobRequest) throws(EngineError) -> Created? {
    guard let key = request.idempotencyKey, let id = idempotency[key] else { return nil }
    let digest = jobs[id]?.requestDigest ?? schedules[id]?.requestDigest
    guard digest == request.digest else {
      throw .conflict("idempotencyKeyInUse", "the key belongs to \(id), which was created by a different request", field: "idempotencyKey")
    }
    if let job = jobs[id] { return .job(job, isNew: false) }
    return schedules[id].map { .schedule($0, isNew: false) }
  }

  /// Removes the oldest finished jobs above the limit.
  private mutating func retire(now: Timestamp) {
    guard jobs.count > limits.jobs else { return }
    let surplus = jobs.count - limits.jobs
    for id in Array(
      jobs.ids(after: nil).lazy.filter { [jobs] in jobs[$0].map { $0.state.isFinal && $0.runningStep == nil } ?? false }.prefix(surplus))
    {
      if let job = jobs[id] { remove(job, now: now) }
    }
  }
}
