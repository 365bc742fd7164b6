package import JSON
internal import OrderedCollections

/// The whole engine as a value: (state, input, now) → effects. It starts no task, reads no clock and no file; each verb is an
/// extension in a file of its own. A caller applies one input, then takes the ``EngineEffects`` and carries them out.
package struct EngineState: Sendable {
  /// Bounds that the operator sets.
  package struct Limits: Sendable {
    /// Jobs with a running step at the same time.
    package var parallelJobs = 4
    /// Jobs kept; above it the oldest finished ones are removed.
    package var jobs = 10_000
    package var tombstones = 10_000
    package var tombstoneAge = Duration.seconds(24 * 3600)
    /// Between SIGTERM and SIGKILL, unless the caller says otherwise.
    package var grace = Duration.seconds(5)

    package init() {}
  }

  var limits: Limits
  private(set) var jobs: ObjectStore<Job>
  private(set) var schedules: ObjectStore<Schedule>
  private(set) var templates: OrderedDictionary<String, Template> = [:]
  var ids: IDGenerator
  /// The number of the latest change; every change of a job or schedule takes the next.
  private(set) var seq: Int64
  /// Keys of existing jobs and schedules, with the id that holds each.
  var idempotency: [String: String] = [:]
  /// Jobs that wait for a slot, in order.
  var queue: [String] = []
  /// Jobs that hold a slot: one of their steps has a process.
  var busy: Set<String> = []
  /// When a job or schedule wants a ``tick(now:)``.
  private var timers: [String: Timestamp] = [:]
  /// No step starts any more.
  var isStopping = false
  private var effects = EngineEffects()
  private var dirty: Set<EngineEffects.Change> = []

  /// - Parameters:
  ///   - seed: of the random part of ids.
  ///   - now: an empty engine numbers its changes from this moment's microseconds on, so that the numbers of an earlier life without
  ///     storage are recognised as older than anything known.
  package init(limits: Limits = Limits(), seed: UInt64, now: Timestamp) {
    self.limits = limits
    seq = now.microseconds
    jobs = ObjectStore(coveredFrom: now.microseconds)
    schedules = ObjectStore(coveredFrom: now.microseconds)
    ids = IDGenerator(seed: seed)
  }

  /// The earliest moment at which ``tick(now:)`` has something to do.
  var nextTick: Timestamp? { timers.values.min() }

  /// Schedules start nothing any more; what they were to start next stays written in them.
  mutating func pauseSchedules() { for id in schedules.objects.keys { timers[id] = nil } }

  func timersDue(_ now: Timestamp) -> [String] { timers.filter { $0.value <= now }.keys.sorted() }

  mutating func takeEffects() -> EngineEffects {
    defer {
      effects = EngineEffects()
      dirty = []
    }
    return effects
  }

  // MARK: - The only places where objects change

  mutating func put(_ changed: Job) {
    var job = changed
    seq += 1
    job.seq = seq
    job.revision += 1
    keep(job)
    mark(.job(job.id))
  }

  /// Puts a job without a change of its own: from storage.
  mutating func keep(_ job: Job) {
    jobs.put(job, id: job.id, seq: job.seq)
    timers[job.id] = [job.deadline, job.killAt].compactMap { $0 }.min()
    if let key = job.idempotencyKey { idempotency[key] = job.id }
  }

  mutating func put(_ changed: Schedule) {
    var schedule = changed
    seq += 1
    schedule.seq = seq
    schedule.revision += 1
    keep(schedule)
    mark(.schedule(schedule.id))
  }

  mutating func keep(_ schedule: Schedule) {
    schedules.put(schedule, id: schedule.id, seq: schedule.seq)
    timers[schedule.id] = schedule.nextRunTime
    if let key = schedule.idempotencyKey { idempotency[key] = schedule.id }
  }

  mutating func put(_ template: Template) {
    templates[template.name] = template
    if !template.isFromFile { mark(.template(template.name)) }
  }

  mutating func removeTemplate(_ name: String) {
    templates[name] = nil
    mark(.template(name))
  }

  /// Removes a job and leaves a tombstone.
  mutating func remove(_ job: Job, now: Timestamp) {
    seq += 1
    jobs.remove(job.id, tombstone: .init(id: job.id, seq: seq, deletedAt: now))
    drop(job)
    mark(.job(job.id))
    forgetTombstones(now: now)
  }

  /// Removes a job without a trace, as if the engine had lost it.
  mutating func forget(_ job: Job) {
    jobs.remove(job.id, tombstone: nil)
    drop(job)
    mark(.forgotten(job.id))
  }

  mutating func remove(_ schedule: Schedule, now: Timestamp) {
    seq += 1
    schedules.remove(schedule.id, tombstone: .init(id: schedule.id, seq: seq, deletedAt: now))
    timers[schedule.id] = nil
    if let key = schedule.idempotencyKey { idempotency[key] = nil }
    mark(.schedule(schedule.id))
    forgetTombstones(now: now)
  }

  mutating func act(_ action: EngineEffects.Action) { effects.actions.append(action) }

  private mutating func drop(_ job: Job) {
    timers[job.id] = nil
    if let key = job.idempotencyKey { idempotency[key] = nil }
    queue.removeAll { $0 == job.id }
    busy.remove(job.id)
    act(.ended(job: job.id))
    act(.removeFiles(job: job.id))
  }

  private mutating func mark(_ change: EngineEffects.Change) {
    if dirty.insert(change).inserted { effects.changes.append(change) }
  }

  private mutating func forgetTombstones(now: Timestamp) {
    let oldest = Timestamp(microseconds: now.microseconds - limits.tombstoneAge.inMicroseconds)
    _ = jobs.forgetTombstones(limit: limits.tombstones, before: oldest)
    _ = schedules.forgetTombstones(limit: limits.tombstones, before: oldest)
  }

  // MARK: - From storage

  /// What storage knows besides the objects.
  mutating func restore(seq: Int64, lastID: Int64, coveredFrom: Int64) {
    self.seq = max(seq, coveredFrom)
    ids.advance(past: lastID)
    jobs = ObjectStore(coveredFrom: coveredFrom)
    schedules = ObjectStore(coveredFrom: coveredFrom)
  }

  mutating func restore(deletedJob id: String, seq: Int64, at: Timestamp) {
    if let job = jobs[id] {
      timers[id] = nil
      if let key = job.idempotencyKey { idempotency[key] = nil }
    }
    advance(to: seq)
    jobs.remove(id, tombstone: .init(id: id, seq: seq, deletedAt: at))
  }

  mutating func restore(deletedSchedule id: String, seq: Int64, at: Timestamp) {
    if let key = schedules[id]?.idempotencyKey { idempotency[key] = nil }
    timers[id] = nil
    advance(to: seq)
    schedules.remove(id, tombstone: .init(id: id, seq: seq, deletedAt: at))
  }

  mutating func restore(forgotten id: String) {
    if let key = jobs[id]?.idempotencyKey { idempotency[key] = nil }
    timers[id] = nil
    jobs.remove(id, tombstone: nil)
  }

  mutating func advance(to seq: Int64, lastID: Int64 = 0) {
    self.seq = max(self.seq, seq)
    ids.advance(past: lastID)
  }
}
