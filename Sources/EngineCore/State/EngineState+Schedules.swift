internal import JSON

extension EngineState {
  /// A run that was missed by more than this (the engine did not run) is left out.
  static let scheduleLateness = Duration.seconds(300)

  mutating func createSchedule(_ request: JobRequest, cron: String, work: Work, now: Timestamp) throws(EngineError) -> Schedule {
    let (expression, zone) = try Self.parse(cron: cron, timeZone: request.timeZone ?? "UTC")
    guard let next = expression.next(after: now, in: zone) else { throw .invalid("schedule", "\"\(cron)\" never comes") }
    var schedule = Schedule(id: ids.next(now: now), cron: cron, timeZone: request.timeZone ?? "UTC", createdAt: now)
    schedule.name = request.name
    schedule.createdBy = request.createdBy
    schedule.template = request.template
    schedule.steps = request.steps
    schedule.parameters = request.parameters
    schedule.timeoutSeconds = request.timeout ?? work.timeoutSeconds
    schedule.suspended = request.suspended
    schedule.nextRunTime = request.suspended ? nil : next
    schedule.attachments = request.attachments
    schedule.idempotencyKey = request.idempotencyKey
    schedule.requestDigest = request.digest
    put(schedule)
    return schedules[schedule.id]!
  }

  func schedule(_ id: String) throws(EngineError) -> Schedule {
    guard let schedule = schedules[id] else { throw .notFound("schedule", id) }
    return schedule
  }

  mutating func setScheduleSuspended(_ id: String, _ suspended: Bool, now: Timestamp) throws(EngineError) -> Schedule {
    var schedule = try schedule(id)
    if schedule.suspended == suspended { return schedule }
    schedule.suspended = suspended
    schedule.nextRunTime = suspended ? nil : nextRun(of: schedule, after: now)
    put(schedule)
    return schedules[id]!
  }

  /// Removes the schedule; jobs that it started stay.
  mutating func deleteSchedule(_ id: String, now: Timestamp) throws(EngineError) -> Schedule {
    let schedule = try schedule(id)
    remove(schedule, now: now)
    return schedule
  }

  mutating func patchSchedule(_ id: String, _ patch: ObjectPatch) throws(EngineError) -> Schedule {
    var schedule = try schedule(id)
    try patch.check(revision: schedule.revision)
    let before = schedule
    schedule.name = patch.name ?? schedule.name
    try schedule.attachments.apply(patch)
    if schedule != before { put(schedule) }
    return schedules[id]!
  }

  /// Starts the job whose time has come. Nothing of the schedule's labels, metadata or envelope goes into it: it was not submitted.
  mutating func fire(_ id: String, now: Timestamp) {
    guard var schedule = schedules[id], let due = schedule.nextRunTime, due <= now, !schedule.suspended, !isStopping else { return }
    schedule.nextRunTime = nextRun(of: schedule, after: now)
    if now - due > Self.scheduleLateness {
      schedule.message = "the run of \(due) was missed"
      put(schedule)
      return
    }
    do {
      let work = try resolve(template: schedule.template, steps: schedule.steps, parameters: schedule.parameters)
      var job = Job(id: ids.next(now: now), createdAt: now)
      job.name = schedule.name
      job.template = schedule.template
      job.trigger = .schedule
      job.schedule = id
      job.scheduledFor = due
      job.parameters = work.parameters
      job.timeoutSeconds = schedule.timeoutSeconds ?? work.timeoutSeconds
      schedule.lastJob = job.id
      schedule.lastScheduleTime = due
      schedule.message = nil
      put(schedule)
      _ = enter(job, steps: work.steps, now: now)
    } catch {
      schedule.message = "the run of \(due) did not start: \(error.message)"
      put(schedule)
    }
  }

  /// A run that became due while the engine was away is started late if it isn't too late; see ``scheduleLateness``.
  mutating func recoverSchedule(_ id: String, now: Timestamp) {
    guard let schedule = schedules[id], let due = schedule.nextRunTime, due <= now else { return }
    fire(id, now: now)
  }

  static func parse(cron: String, timeZone: String) throws(EngineError) -> (CronExpression, TimeZoneRules) {
    guard let zone = TimeZoneRules(timeZone) else { throw .invalid("timeZone", "\"\(timeZone)\" is no IANA time zone") }
    do throws(CronError) { return (try CronExpression(cron), zone) } catch { throw .invalid("schedule", error.message) }
  }

  private func nextRun(of schedule: Schedule, after now: Timestamp) -> Timestamp? {
    guard let (expression, zone) = try? Self.parse(cron: schedule.cron, timeZone: schedule.timeZone) else { return nil }
    return expression.next(after: now, in: zone)
  }
}
