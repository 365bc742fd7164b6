internal import JSON
internal import OrderedCollections

/// Reads back what ``ObjectWriter`` wrote for storage. Unknown members are passed over, so that an older engine reads a newer one's file.
enum StoredObjects {
  static func job(_ view: JSONView) -> Job? {
    guard let id = view["id"]?.string, let createdAt = time(view, "createdAt"), let state = view["state"]?.string.flatMap(JobState.init),
      let seq = view["seq"]?.int, let revision = view["revision"]?.int
    else { return nil }
    var job = Job(id: id, createdAt: createdAt)
    job.name = view["name"]?.string
    job.template = view["template"]?.string
    job.trigger = view["trigger"]?.string.flatMap(JobTrigger.init) ?? .api
    job.schedule = view["schedule"]?.string
    job.scheduledFor = time(view, "scheduledFor")
    job.rerunOf = view["rerunOf"]?.string
    job.createdBy = view["createdBy"]?.string
    job.state = state
    job.message = view["message"]?.string
    job.warnings = strings(view["warnings"])
    job.attempt = view["attempt"]?.int.map(Int.init) ?? 1
    job.seq = seq
    job.revision = revision
    job.startedAt = time(view, "startedAt")
    job.finishedAt = time(view, "finishedAt")
    job.timeoutSeconds = view["timeout"]?.int
    job.suspended = view["suspended"]?.bool ?? false
    job.ending = view["ending"]?.string.flatMap(Job.Ending.init)
    job.runningStep = view["runningStep"]?.int.map(Int.init)
    job.killAt = time(view, "killAt")
    job.requestDigest = view["requestDigest"]?.string
    job.steps = (view["steps"]?.elements).map { $0.map(step) } ?? []
    job.parameters = view["parameters"]?.value.object ?? [:]
    job.attachments = attachments(view)
    job.idempotencyKey = view["idempotencyKey"]?.string
    if let running = job.runningStep, !job.steps.indices.contains(running) { return nil }
    return job
  }

  static func schedule(_ view: JSONView) -> Schedule? {
    guard let id = view["id"]?.string, let cron = view["schedule"]?.string, let createdAt = time(view, "createdAt"),
      let seq = view["seq"]?.int
    else { return nil }
    var schedule = Schedule(id: id, cron: cron, timeZone: view["timeZone"]?.string ?? "UTC", createdAt: createdAt)
    schedule.name = view["name"]?.string
    schedule.createdBy = view["createdBy"]?.string
    schedule.suspended = view["suspended"]?.bool ?? false
    schedule.lastScheduleTime = time(view, "lastScheduleTime")
    schedule.nextRunTime = time(view, "nextRunTime")
    schedule.lastJob = view["lastJob"]?.string
    schedule.message = view["message"]?.string
    schedule.seq = seq
    schedule.revision = view["revision"]?.int ?? 1
    schedule.template = view["template"]?.string
    schedule.steps = (view["steps"]?.elements).map { $0.map(spec) } ?? []
    schedule.parameters = view["parameters"]?.value.object ?? [:]
    schedule.timeoutSeconds = view["timeout"]?.int
    schedule.attachments = attachments(view)
    schedule.idempotencyKey = view["idempotencyKey"]?.string
    schedule.requestDigest = view["requestDigest"]?.string
    return schedule
  }

  static func template(_ view: JSONView) -> Template? {
    guard let name = view["name"]?.string, let updatedAt = time(view, "updatedAt") else { return nil }
    var template = Template(name: name, steps: (view["steps"]?.elements).map { $0.map(spec) } ?? [], updatedAt: updatedAt)
    template.description = view["description"]?.string
    template.revision = view["revision"]?.int ?? 1
    template.parameters = view["parameters"]?.value.object
    template.timeoutSeconds = view["timeout"]?.int
    return template
  }

  static func time(_ view: JSONView, _ name: String) -> Timestamp? { view[name]?.string.flatMap(Timestamp.init) }

  private static func spec(_ view: JSONView) -> StepSpec {
    StepSpec(
      name: view["name"]?.string ?? "", image: view["image"]?.string, command: strings(view["command"]), args: strings(view["args"]),
      env: map(view["env"]))
  }

  private static func step(_ view: JSONView) -> Step {
    var step = Step(spec(view))
    step.state = view["state"]?.string.flatMap(StepState.init) ?? .pending
    step.attempt = view["attempt"]?.int.map(Int.init) ?? 0
    step.startedAt = time(view, "startedAt")
    step.finishedAt = time(view, "finishedAt")
    step.exitCode = view["exitCode"]?.int.map(Int.init)
    step.message = view["message"]?.string
    return step
  }

  private static func attachments(_ view: JSONView) -> Attachments {
    Attachments(
      labels: map(view["labels"]), annotations: map(view["annotations"]), metadata: document(view["metadata"]),
      envelope: document(view["envelope"]), overlay: document(view["overlay"]))
  }

  private static func strings(_ view: JSONView?) -> [String] { view.map { $0.elements.compactMap(\.string) } ?? [] }

  private static func map(_ view: JSONView?) -> OrderedDictionary<String, String> {
    var map: OrderedDictionary<String, String> = [:]
    if let view { for (name, value) in view.members { map[name] = value.string ?? "" } }
    return map
  }

  private static func document(_ view: JSONView?) -> RawJSON? { view?.string.map { RawJSON(bytes: Array($0.utf8)) } }
}
