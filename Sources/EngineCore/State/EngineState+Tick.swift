package import JSON

extension EngineState {
  /// What time alone brings: timeouts, SIGKILL after SIGTERM, schedules.
  mutating func tick(now: Timestamp) {
    for id in timersDue(now) {
      if schedules[id] != nil { fire(id, now: now) } else { expire(id, now: now) }
    }
    admit(now: now)
  }

  private mutating func expire(_ id: String, now: Timestamp) {
    guard var job = jobs[id] else { return }
    if let killAt = job.killAt, killAt <= now {
      job.killAt = nil
      put(job)
      act(.signal(job: id, .kill))
    } else if let deadline = job.deadline, deadline <= now {
      if job.runningStep == nil {
        finish(job, as: .timedOut, message: Self.timeoutMessage(job), now: now)
      } else {
        job.ending = .timedOut
        job.killAt = now + limits.grace
        put(job)
        act(.signal(job: id, .terminate))
      }
    }
  }

  /// Starts nothing more and ends what runs, within `grace`.
  package mutating func stop(grace: Duration, now: Timestamp) {
    isStopping = true
    pauseSchedules()
    for id in busy.sorted() {
      guard var job = jobs[id] else { continue }
      if job.ending == nil, !job.state.isFinal { job.ending = .stopped }
      job.killAt = min(job.killAt ?? now + grace, now + grace)
      put(job)
      act(.signal(job: id, .terminate))
    }
  }

  /// After everything was restored from storage: says plainly what a restart did to running steps, and goes on with the rest.
  package mutating func recover(now: Timestamp) {
    for id in Array(jobs.ids(after: nil)) {
      guard var job = jobs[id] else { continue }
      if let running = job.runningStep {
        job.runningStep = nil
        job.killAt = nil
        act(.killLeftovers(job: id))
        guard !job.state.isFinal else {
          put(job)
          continue
        }
        let message = "engine restarted while the step was running"
        job.steps[running].finishedAt = now
        job.steps[running].message = message
        switch job.ending {
        case .cancelled:
          job.steps[running].state = .cancelled
          finish(job, as: .cancelled, message: job.message ?? "cancelled", now: now)
        case .timedOut:
          job.steps[running].state = .timedOut
          finish(job, as: .timedOut, message: Self.timeoutMessage(job), now: now)
        case .stopped, nil:
          job.steps[running].state = .failed
          finish(job, as: .failed, message: "step \(job.steps[running].spec.name): \(message)", now: now)
        }
      } else if job.state == .queued {
        queue.append(id)
      }
    }
    for id in Array(schedules.ids(after: nil)) { recoverSchedule(id, now: now) }
    admit(now: now)
  }
}
