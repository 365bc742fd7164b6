internal import JSON

extension EngineState {
  /// Gives free slots to waiting jobs.
  mutating func admit(now: Timestamp) {
    while !isStopping, busy.count < limits.parallelJobs, !queue.isEmpty {
      guard var job = jobs[queue.removeFirst()], job.state == .queued else { continue }
      job.startedAt = job.startedAt ?? now
      advance(job, now: now)
    }
  }

  /// The job's next step, or its end.
  mutating func advance(_ current: Job, now: Timestamp) {
    var job = current
    guard let next = job.steps.firstIndex(where: { $0.state == .pending }) else {
      finish(job, as: .succeeded, message: nil, now: now)
      return
    }
    if job.suspended || isStopping {
      job.state = job.suspended ? .suspended : .queued
      busy.remove(job.id)
      put(job)
      return
    }
    job.state = .running
    job.runningStep = next
    job.steps[next].state = .running
    job.steps[next].attempt = job.attempt
    job.steps[next].startedAt = now
    busy.insert(job.id)
    put(job)
    act(.start(StepRun(job: job.id, step: next, attempt: job.attempt, command: StepCommand(job: job, step: next))))
  }

  /// A step's process ended, or never began. Late news of an earlier attempt is dropped.
  mutating func stepEnded(job id: String, step index: Int, attempt: Int, outcome: StepOutcome, now: Timestamp) {
    guard var job = jobs[id], job.runningStep == index, job.steps[index].attempt == attempt else { return }
    job.runningStep = nil
    job.killAt = nil
    defer { admit(now: now) }
    if job.state.isFinal {
      // An operator set the state while the process still ran.
      busy.remove(id)
      put(job)
      act(.ended(job: id))
      return
    }
    let name = job.steps[index].spec.name
    job.steps[index].finishedAt = now
    let failure: String?
    switch outcome {
    case .exited(let code):
      job.steps[index].exitCode = code
      failure = code == 0 ? nil : "exit code \(code)"
    case .signalled(let signal):
      job.steps[index].exitCode = 128 + signal
      failure = "ended by signal \(signal)\(Self.signalName(signal))"
    case .notStarted(let reason):
      failure = reason
    }
    job.steps[index].state = failure == nil ? .succeeded : .failed
    job.steps[index].message = failure
    switch job.ending {
    case .cancelled:
      if failure != nil { job.steps[index].state = .cancelled }
      finish(job, as: .cancelled, message: job.message ?? "cancelled", now: now)
    case .timedOut:
      if failure != nil { job.steps[index].state = .timedOut }
      finish(job, as: .timedOut, message: Self.timeoutMessage(job), now: now)
    case .stopped:
      if failure == nil {
        job.ending = nil
        advance(job, now: now)
      } else {
        finish(job, as: .failed, message: "step \(name): engine stopped while the step was running", now: now)
      }
    case nil:
      if let failure { finish(job, as: .failed, message: "step \(name): \(failure)", now: now) } else { advance(job, now: now) }
    }
  }

  /// Ends a job. Steps that had no turn are skipped.
  mutating func finish(_ current: Job, as state: JobState, message: String?, now: Timestamp) {
    var job = current
    job.state = state
    job.message = message
    job.finishedAt = now
    job.ending = nil
    for index in job.steps.indices where job.steps[index].state == .pending { job.steps[index].state = .skipped }
    queue.removeAll { $0 == job.id }
    if job.runningStep == nil { busy.remove(job.id) }
    put(job)
    if job.runningStep == nil { act(.ended(job: job.id)) }
  }

  static func timeoutMessage(_ job: Job) -> String { "timed out after \(job.timeoutSeconds ?? 0) s" }

  static func signalName(_ signal: Int) -> String {
    switch signal {
    case 1: " (SIGHUP)"
    case 2: " (SIGINT)"
    case 6: " (SIGABRT)"
    case 9: " (SIGKILL)"
    case 11: " (SIGSEGV)"
    case 13: " (SIGPIPE)"
    case 15: " (SIGTERM)"
    default: ""
    }
  }
}
