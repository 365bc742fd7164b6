internal import JSON
internal import OrderedCollections

/// One line of the journal.
enum JournalRecord {
  static func header(seq: Int64, lastID: Int64, jobsCovered: Int64) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("op", "header")
    json.member("version", Int64(1))
    json.member("seq", seq)
    json.member("lastID", lastID)
    json.member("coveredFrom", jobsCovered)
    json.endObject()
    return json.bytes
  }

  static func object(_ op: String, _ write: (inout ObjectWriter) -> Void) -> [UInt8] {
    var writer = ObjectWriter(.storage)
    writer.json.beginObject()
    writer.json.member("op", op)
    writer.json.name("value")
    write(&writer)
    writer.json.endObject()
    return writer.json.bytes
  }

  static func removal(_ op: String, id: String, seq: Int64? = nil, at: Timestamp? = nil) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("op", op)
    json.member("id", id)
    json.member("seq", seq)
    json.member("at", at?.description)
    json.endObject()
    return json.bytes
  }

  /// What a change of the state looks like in the journal.
  static func line(_ change: EngineEffects.Change, in state: EngineState) -> [UInt8] {
    switch change {
    case .job(let id):
      if let job = state.jobs[id] { return object("job") { $0.job(job) } }
      let tombstone = state.jobs.tombstones.last { $0.id == id }
      return removal("jobDeleted", id: id, seq: tombstone?.seq ?? state.seq, at: tombstone?.deletedAt)
    case .schedule(let id):
      if let schedule = state.schedules[id] { return object("schedule") { $0.schedule(schedule) } }
      let tombstone = state.schedules.tombstones.last { $0.id == id }
      return removal("scheduleDeleted", id: id, seq: tombstone?.seq ?? state.seq, at: tombstone?.deletedAt)
    case .template(let name):
      if let template = state.templates[name] { return object("template") { $0.template(template) } }
      return removal("templateDeleted", id: name)
    case .forgotten(let id): return removal("jobForgotten", id: id)
    }
  }

  /// The whole state as lines.
  static func snapshot(_ state: EngineState) -> [[UInt8]] {
    let covered = max(state.jobs.coveredFrom, state.schedules.coveredFrom)
    var lines = [header(seq: state.seq, lastID: state.ids.last, jobsCovered: covered)]
    for template in state.templates.values where !template.isFromFile { lines.append(object("template") { $0.template(template) }) }
    for tombstone in state.jobs.tombstones {
      lines.append(removal("jobDeleted", id: tombstone.id, seq: tombstone.seq, at: tombstone.deletedAt))
    }
    for tombstone in state.schedules.tombstones {
      lines.append(removal("scheduleDeleted", id: tombstone.id, seq: tombstone.seq, at: tombstone.deletedAt))
    }
    // In the order of their last change: the change log is rebuilt by appending.
    let jobs = state.jobs.objects.values.sorted { $0.seq < $1.seq }
    for job in jobs { lines.append(object("job") { $0.job(job) }) }
    for schedule in state.schedules.objects.values.sorted(by: { $0.seq < $1.seq }) {
      lines.append(object("schedule") { $0.schedule(schedule) })
    }
    return lines
  }

  /// Applies one line. - Returns: false when it makes no sense.
  static func replay(_ line: [UInt8], into state: inout EngineState) -> Bool {
    guard let document = try? JSONDocument(line), case let record = document.root, let op = record["op"]?.string else { return false }
    let id = record["id"]?.string
    let seq = record["seq"]?.int
    let at = StoredObjects.time(record, "at") ?? Timestamp(microseconds: 0)
    switch op {
    case "header":
      guard let seq, let lastID = record["lastID"]?.int, let covered = record["coveredFrom"]?.int, record["version"]?.int == 1 else {
        return false
      }
      state.restore(seq: seq, lastID: lastID, coveredFrom: covered)
    case "job":
      guard let job = record["value"].flatMap(StoredObjects.job) else { return false }
      state.keep(job)
      state.advance(to: job.seq, lastID: IDGenerator.time(of: job.id))
    case "schedule":
      guard let schedule = record["value"].flatMap(StoredObjects.schedule) else { return false }
      state.keep(schedule)
      state.advance(to: schedule.seq, lastID: IDGenerator.time(of: schedule.id))
    case "template":
      guard let template = record["value"].flatMap(StoredObjects.template) else { return false }
      state.put(template)
    case "jobDeleted":
      guard let id, let seq else { return false }
      state.restore(deletedJob: id, seq: seq, at: at)
      state.advance(to: seq, lastID: IDGenerator.time(of: id))
    case "scheduleDeleted":
      guard let id, let seq else { return false }
      state.restore(deletedSchedule: id, seq: seq, at: at)
      state.advance(to: seq, lastID: IDGenerator.time(of: id))
    case "templateDeleted":
      guard let id else { return false }
      state.removeTemplate(id)
    case "jobForgotten":
      guard let id else { return false }
      state.restore(forgotten: id)
      state.advance(to: 0, lastID: IDGenerator.time(of: id))
    default: break
    }
    return true
  }
}
