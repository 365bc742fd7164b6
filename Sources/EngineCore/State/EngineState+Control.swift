internal import JSON

extension EngineState {
  /// Ends a job: at once where no step runs, else by SIGTERM and, after `grace`, SIGKILL to the step's process group; the state
  /// becomes `cancelled` when the process is gone. Repeating it is no error.
  mutating func cancel(_ id: String, reason: String?, grace: Duration?, now: Timestamp) throws(EngineError) -> Job {
    var job = try job(id)
    if job.state == .cancelled || job.ending == .cancelled { return job }
    guard !job.state.isFinal else {
      throw .conflict("alreadyFinished", "job \(id) is \(job.state.rawValue) and cannot be cancelled")
    }
    job.message = reason.map { "cancelled: \($0)" } ?? "cancelled"
    if job.runningStep == nil {
      finish(job, as: .cancelled, message: job.message, now: now)
      admit(now: now)
    } else {
      // A timeout or a stop that is under way ends the job by its own name.
      if job.ending == nil { job.ending = .cancelled }
      job.killAt = job.killAt ?? now + (grace ?? limits.grace)
      put(job)
      act(.signal(job: id, .terminate))
    }
    return jobs[id]!
  }

  /// Runs the failed, cancelled, timed out and skipped steps of a finished job again: the same job, one attempt more.
  mutating func retry(_ id: String, now: Timestamp) throws(EngineError) -> Job {
    var job = try job(id)
    switch job.state {
    case .failed, .cancelled, .timedOut: break
    case .succeeded: throw .conflict("nothingToRetry", "job \(id) succeeded: there is nothing to retry; create it anew")
    case .queued, .running, .suspended:
      throw .conflict("notFinished", "job \(id) is \(job.state.rawValue); only a finished job can be retried")
    }
    try requireNoProcess(job)
    job.attempt += 1
    job.state = .queued
    job.message = nil
    job.startedAt = nil
    job.finishedAt = nil
    job.suspended = false
    for index in job.steps.indices where job.steps[index].state != .succeeded {
      let attempt = job.steps[index].attempt
      job.steps[index] = Step(job.steps[index].spec)
      job.steps[index].attempt = attempt
    }
    put(job)
    queue.append(id)
    admit(now: now)
    return jobs[id]!
  }

  /// No further step starts. A step that runs goes on, and the state stays `running` until it has ended.
  mutating func suspend(_ id: String) throws(EngineError) -> Job {
    var job = try job(id)
    guard !job.state.isFinal else { throw .conflict("alreadyFinished", "job \(id) is \(job.state.rawValue) and cannot be suspended") }
    if job.suspended { return job }
    job.suspended = true
    if job.state == .queued {
      job.state = .suspended
      queue.removeAll { $0 == id }
    }
    put(job)
    return jobs[id]!
  }

  mutating func resume(_ id: String, now: Timestamp) throws(EngineError) -> Job {
    var job = try job(id)
    guard !job.state.isFinal else { throw .conflict("alreadyFinished", "job \(id) is \(job.state.rawValue) and cannot be resumed") }
    guard job.suspended else { return job }
    job.suspended = false
    if job.state == .suspended {
      job.state = .queued
      queue.append(id)
    }
    put(job)
    admit(now: now)
    return jobs[id]!
  }

  /// An operator says how the job ended: a step that runs is killed, the state changes at once. Or that it is to run now.
  mutating func setState(_ id: String, to state: JobState, message: String?, now: Timestamp) throws(EngineError) -> Job {
    if state == .running { return try start(id, now: now) }
    var job = try job(id)
    guard state.isFinal, state != .timedOut else { throw .invalid("state", "must be running, succeeded, failed or cancelled") }
    if let running = job.runningStep, !job.state.isFinal {
      job.steps[running].state = state == .succeeded ? .succeeded : .cancelled
      job.steps[running].finishedAt = now
      job.steps[running].message = "ended because the job's state was set"
      job.killAt = now + limits.grace
      act(.signal(job: id, .terminate))
    }
    finish(job, as: state, message: message ?? "set to \(state.rawValue) by an operator", now: now)
    admit(now: now)
    return jobs[id]!
  }

  /// Starts a job that waits, whatever the limit of parallel jobs says, and releases one that is held.
  private mutating func start(_ id: String, now: Timestamp) throws(EngineError) -> Job {
    var job = try job(id)
    guard !job.state.isFinal else {
      throw .conflict("alreadyFinished", "job \(id) is \(job.state.rawValue) and cannot be set to running; retry or rerun it")
    }
    guard job.state != .running || job.suspended, !isStopping else { return job }
    job.suspended = false
    queue.removeAll { $0 == id }
    if job.runningStep == nil {
      job.startedAt = job.startedAt ?? now
      advance(job, now: now)
    } else {
      put(job)
    }
    return jobs[id]!
  }

  /// Removes a job that has no process and, unless it waits or is suspended, has ended.
  mutating func delete(_ id: String, now: Timestamp) throws(EngineError) -> Job {
    let job = try job(id)
    if job.state == .running { throw .conflict("running", "job \(id) is running; cancel it first") }
    try requireNoProcess(job)
    remove(job, now: now)
    return job
  }

  /// Changes labels and annotations (merged; nil removes a key) and the overlay (replaced as a whole).
  mutating func patch(_ id: String, _ patch: ObjectPatch) throws(EngineError) -> Job {
    var job = try job(id)
    try patch.check(revision: job.revision)
    let before = job
    job.name = patch.name ?? job.name
    try job.attachments.apply(patch)
    if job != before { put(job) }
    return jobs[id]!
  }

  private func requireNoProcess(_ job: Job) throws(EngineError) {
    if job.runningStep != nil { throw .conflict("stillEnding", "the process of job \(job.id) has not ended yet; try again in a moment") }
  }
}
