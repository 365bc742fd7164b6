internal import JSON
internal import OrderedCollections

/// Which part of a job's log is wanted, and how it is written.
struct LogQuery: Sendable {
  var step: String?
  var attempt: Int?
  var follow = false
  var tailLines: Int?
  var since: Timestamp?
  /// Each line begins with its time.
  var timestamps = false

  /// - Throws: 422 with the parameter's name.
  init(_ target: RequestTarget) throws(EngineError) {
    for (name, value) in target.query {
      switch name {
      case "step": step = value
      case "attempt":
        guard let number = Int(value), number > 0 else { throw .invalid(name, "must be a whole number above 0") }
        attempt = number
      case "follow", "timestamps":
        guard let flag = Bool(value.isEmpty ? "true" : value) else { throw .invalid(name, "must be true or false") }
        if name == "follow" { follow = flag } else { timestamps = flag }
      case "tailLines":
        guard let number = Int(value), number >= 0 else { throw .invalid(name, "must be a whole number") }
        tailLines = number
      case "since":
        guard let moment = Timestamp(value) else { throw .invalid(name, "must be RFC 3339") }
        since = moment
      default: throw .invalid(name, "is no parameter of a log")
      }
    }
  }
}

/// Chooses and writes the lines of one answer.
struct LogFilter {
  private let names: [String]
  private let attempts: [Int]
  private let step: Int?
  private let since: Timestamp?
  private let timestamps: Bool

  /// - Throws: 404 when the job has no such step.
  init(_ query: LogQuery, job: Job) throws(EngineError) {
    names = job.steps.map(\.spec.name)
    // Steps that a retry left alone keep the log of the attempt in which they ran.
    attempts = job.steps.map { query.attempt ?? ($0.state == .pending ? job.attempt : $0.attempt) }
    since = query.since
    timestamps = query.timestamps
    step = query.step.flatMap { [names] in names.firstIndex(of: $0) }
    if let wanted = query.step, step == nil {
      throw EngineError(status: 404, code: "notFound", message: "job \(job.id) has no step \(wanted)", field: "step")
    }
  }

  /// True when no more lines can come.
  func isComplete(_ job: Job?) -> Bool {
    guard let job else { return true }
    if job.state.isFinal && job.runningStep == nil { return true }
    guard let step, job.steps.indices.contains(step) else { return false }
    return job.runningStep != step && job.steps[step].state != .pending
  }

  /// The line as the client gets it; nil when it isn't wanted.
  func written(_ line: LogLine) -> [UInt8]? {
    guard names.indices.contains(line.step), step == nil || step == line.step, attempts[line.step] == line.attempt else { return nil }
    if let since, line.time < since { return nil }
    var bytes: [UInt8] = []
    if timestamps { bytes += Array("\(line.time) ".utf8) }
    if step == nil { bytes += Array("[\(names[line.step])] ".utf8) }
    bytes += line.text
    bytes.append(0x0A)
    return bytes
  }
}
