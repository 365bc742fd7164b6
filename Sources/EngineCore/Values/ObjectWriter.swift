internal import JSON
internal import OrderedCollections

extension JSONWriter {
  mutating func member(_ name: String, _ value: String?) {
    guard let value else { return }
    self.name(name)
    string(value)
  }

  mutating func member(_ name: String, _ value: Int64?) {
    guard let value else { return }
    self.name(name)
    int(value)
  }

  mutating func member(_ name: String, _ value: Bool) {
    self.name(name)
    bool(value)
  }

  mutating func member(_ name: String, _ value: JSONObject?) {
    guard let value else { return }
    self.name(name)
    self.value(.object(value))
  }

  mutating func member(_ name: String, _ value: OrderedDictionary<String, String>) {
    self.name(name)
    beginObject()
    for (key, text) in value {
      self.name(key)
      string(text)
    }
    endObject()
  }

  mutating func member(_ name: String, _ values: [String]) {
    self.name(name)
    beginArray()
    for value in values { string(value) }
    endArray()
  }
}

/// Writes jobs, schedules and templates, for clients or for storage.
struct ObjectWriter {
  enum Purpose {
    /// `clockSkew` microseconds are added to every time that is reported; `pages` is the base of links, nil where there is none.
    case client(clockSkew: Int64, pages: String?)
    /// With what clients don't see, and documents as strings, so that a record stays on one line.
    case storage
  }

  var json = JSONWriter(capacity: 1024)
  let purpose: Purpose

  init(_ purpose: Purpose) { self.purpose = purpose }

  var isStorage: Bool { if case .storage = purpose { true } else { false } }

  mutating func time(_ name: String, _ value: Timestamp?) {
    guard let value else { return }
    var skew: Int64 = 0
    if case .client(let clockSkew, _) = purpose { skew = clockSkew }
    json.member(name, Timestamp(microseconds: value.microseconds + skew).description)
  }

  mutating func document(_ name: String, _ document: RawJSON?) {
    guard let document else { return }
    json.name(name)
    if isStorage { json.string(String(decoding: document.bytes, as: UTF8.self)) } else { json.raw(document.bytes) }
  }

  mutating func attachments(_ attachments: Attachments) {
    json.member("labels", attachments.labels)
    json.member("annotations", attachments.annotations)
    document("metadata", attachments.metadata)
    document("envelope", attachments.envelope)
    document("overlay", attachments.overlay)
  }

  mutating func steps(_ steps: [StepSpec]) {
    json.name("steps")
    json.beginArray()
    for step in steps {
      json.beginObject()
      spec(step)
      json.endObject()
    }
    json.endArray()
  }

  mutating func spec(_ step: StepSpec) {
    json.member("name", step.name)
    json.member("image", step.image)
    json.member("command", step.command)
    json.member("args", step.args)
    json.member("env", step.env)
  }

  mutating func job(_ job: Job) {
    json.beginObject()
    json.member("kind", "job")
    json.member("id", job.id)
    json.member("name", job.name)
    json.member("template", job.template)
    json.member("trigger", job.trigger.rawValue)
    json.member("schedule", job.schedule)
    time("scheduledFor", job.scheduledFor)
    json.member("rerunOf", job.rerunOf)
    json.member("createdBy", job.createdBy)
    json.member("state", job.state.rawValue)
    if isStorage {
      json.member("message", job.message)
    } else {
      let parts = [job.message].compactMap { $0 } + job.warnings
      json.member("message", parts.isEmpty ? nil : parts.joined(separator: "; "))
    }
    if !job.warnings.isEmpty { json.member("warnings", job.warnings) }
    json.member("attempt", Int64(job.attempt))
    json.member("seq", job.seq)
    json.member("revision", job.revision)
    time("createdAt", job.createdAt)
    time("startedAt", job.startedAt)
    time("finishedAt", job.finishedAt)
    json.member("timeout", job.timeoutSeconds)
    json.member("suspended", job.suspended)
    if isStorage {
      json.member("ending", job.ending?.rawValue)
      json.member("runningStep", job.runningStep.map(Int64.init))
      time("killAt", job.killAt)
      json.member("requestDigest", job.requestDigest)
    } else {
      json.member("cancelling", job.ending == .cancelled)
      json.name("progress")
      json.beginObject()
      json.member("done", Int64(job.progress.done))
      json.member("total", Int64(job.progress.total))
      json.endObject()
    }
    json.name("steps")
    json.beginArray()
    for step in job.steps {
      json.beginObject()
      spec(step.spec)
      json.member("state", step.state.rawValue)
      json.member("attempt", Int64(step.attempt))
      time("startedAt", step.startedAt)
      time("finishedAt", step.finishedAt)
      json.member("exitCode", step.exitCode.map(Int64.init))
      json.member("message", step.message)
      json.endObject()
    }
    json.endArray()
    json.member("parameters", job.parameters)
    attachments(job.attachments)
    json.member("idempotencyKey", job.idempotencyKey)
    if case .client(_, let pages?) = purpose { json.member("url", "\(pages)/jobs/\(job.id)") }
    json.endObject()
  }

  mutating func schedule(_ schedule: Schedule) {
    json.beginObject()
    json.member("kind", "schedule")
    json.member("id", schedule.id)
    json.member("name", schedule.name)
    json.member("createdBy", schedule.createdBy)
    json.member("schedule", schedule.cron)
    json.member("timeZone", schedule.timeZone)
    json.member("suspended", schedule.suspended)
    time("lastScheduleTime", schedule.lastScheduleTime)
    time("nextRunTime", schedule.nextRunTime)
    json.member("lastJob", schedule.lastJob)
    json.member("message", schedule.message)
    json.member("seq", schedule.seq)
    json.member("revision", schedule.revision)
    time("createdAt", schedule.createdAt)
    json.member("template", schedule.template)
    if !schedule.steps.isEmpty { steps(schedule.steps) }
    json.member("parameters", schedule.parameters)
    json.member("timeout", schedule.timeoutSeconds)
    attachments(schedule.attachments)
    json.member("idempotencyKey", schedule.idempotencyKey)
    if isStorage { json.member("requestDigest", schedule.requestDigest) }
    json.endObject()
  }

  mutating func template(_ template: Template) {
    json.beginObject()
    json.member("kind", "template")
    json.member("name", template.name)
    json.member("description", template.description)
    json.member("revision", template.revision)
    time("updatedAt", template.updatedAt)
    json.member("source", template.isFromFile ? "file" : "api")
    json.member("parameters", template.parameters)
    steps(template.steps)
    json.member("timeout", template.timeoutSeconds)
    json.endObject()
  }
}
