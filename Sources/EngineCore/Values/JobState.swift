/// Where a job stands.
package enum JobState: String, CaseIterable, Sendable {
  case queued, running, suspended, succeeded, failed, cancelled, timedOut

  /// True when the job ended and goes on only by a retry.
  package var isFinal: Bool {
    switch self {
    case .queued, .running, .suspended: false
    case .succeeded, .failed, .cancelled, .timedOut: true
    }
  }
}

/// What brought a job about. A retry continues the same job and leaves this alone; a rerun is a new job made as a copy of another.
package enum JobTrigger: String, Sendable {
  case api, schedule, rerun
}

/// Where a step stands. `skipped`: the job ended before its turn.
package enum StepState: String, Sendable {
  case pending, running, succeeded, failed, cancelled, timedOut, skipped
}
