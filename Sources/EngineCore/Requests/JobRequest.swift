internal import JSON
internal import OrderedCollections

/// The body of a create: of a job, or with `schedule` of a schedule.
struct JobRequest: Sendable {
  var name: String?
  var template: String?
  var steps: [StepSpec] = []
  var parameters: JSONObject = [:]
  var timeout: Int64?
  var attachments = Attachments()
  var idempotencyKey: String?
  var suspended = false
  var schedule: String?
  var timeZone: String?
  var createdBy: String?
  /// Of the body, however it was written.
  var digest: String

  static let timeouts: ClosedRange<Int64> = 1...31_536_000

  /// - Parameter mustSchedule: the body came to `/v1/schedules`.
  /// - Throws: 422 with the field.
  init(_ body: JSONView, mustSchedule: Bool = false) throws(EngineError) {
    digest = Digest.hex(body.value.canonical.encoded)
    var fields = try FieldReader(body)
    name = try fields.string("name", maximum: 253)
    template = try fields.string("template", maximum: 253)
    steps = try StepRequest.steps(&fields)
    parameters = try fields.object("parameters") ?? [:]
    timeout = try fields.int("timeout", in: Self.timeouts)
    attachments.labels = try fields.map("labels")
    attachments.annotations = try fields.map("annotations")
    attachments.metadata = try fields.document("metadata")
    attachments.envelope = try fields.document("envelope")
    attachments.overlay = try fields.document("overlay")
    idempotencyKey = try fields.string("idempotencyKey", maximum: 1024)
    suspended = try fields.bool("suspended") ?? false
    schedule = try fields.string("schedule", maximum: 256)
    timeZone = try fields.string("timeZone", maximum: 64)
    createdBy = try fields.string("createdBy")
    try fields.finish()
    switch (template, steps.isEmpty) {
    case (nil, true): throw .invalid("steps", "a template or at least one step is needed")
    case (.some, false): throw .invalid("steps", "template and steps exclude each other")
    default: break
    }
    if template == "" { throw .invalid("template", "is empty") }
    if idempotencyKey == "" { throw .invalid("idempotencyKey", "is empty") }
    if mustSchedule, schedule == nil { throw .invalid("schedule", "is needed here") }
    if schedule == nil, timeZone != nil { throw .invalid("timeZone", "means something only with schedule") }
    try ObjectPatch.checkSize(attachments.labels, "labels")
    try ObjectPatch.checkSize(attachments.annotations, "annotations")
  }
}
