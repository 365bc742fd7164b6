package import JSON
internal import OrderedCollections

/// One run of a template or of steps given inline.
package struct Job: Hashable, Sendable {
  package let id: String
  /// A title of the client's choice; not unique.
  package var name: String?
  package var template: String?
  package var trigger = JobTrigger.api
  /// The schedule that started the job, and the time for which it did.
  package var schedule: String?
  package var scheduledFor: Timestamp?
  /// The job that this one was copied from.
  package var rerunOf: String?
  package var createdBy: String?

  package var state = JobState.queued
  package var message: String?
  package var warnings: [String] = []
  /// From 1; grows with every retry.
  package var attempt = 1
  /// The engine-wide number of the job's last change.
  package var seq: Int64 = 0
  /// From 1; grows with every change of this job.
  package var revision: Int64 = 0
  package var createdAt: Timestamp
  /// Of the current attempt.
  package var startedAt: Timestamp?
  package var finishedAt: Timestamp?
  package var steps: [Step] = []
  package var parameters: JSONObject = [:]
  /// Counted from ``startedAt``, suspended time included.
  package var timeoutSeconds: Int64?

  package var attachments = Attachments()

  package var idempotencyKey: String?
  /// Of the create request's body; tells a repeated request from another one with the same key.
  package var requestDigest: String?

  /// No further step starts while this is set.
  package var suspended = false
  /// What the job becomes once its running process has ended.
  package var ending: Ending?
  /// The step whose process runs, or is being ended although the job's state is final already (an operator set it).
  package var runningStep: Int?
  /// When a process that got SIGTERM gets SIGKILL.
  package var killAt: Timestamp?

  /// A decision taken while a process still runs.
  package enum Ending: String, Sendable {
    case cancelled, timedOut, stopped
  }

  package init(id: String, createdAt: Timestamp) {
    self.id = id
    self.createdAt = createdAt
  }

  /// When the timeout strikes; nil while it doesn't count.
  var deadline: Timestamp? {
    guard let timeoutSeconds, let startedAt, !state.isFinal, ending == nil else { return nil }
    return startedAt + .seconds(timeoutSeconds)
  }

  /// Steps that ended well, of all.
  package var progress: (done: Int, total: Int) { (steps.count { $0.state == .succeeded }, steps.count) }
}
