package import JSON
internal import OrderedCollections

/// A cron schedule that starts jobs.
package struct Schedule: Hashable, Sendable {
  package let id: String
  package var name: String?
  package var createdBy: String?
  /// The expression as given.
  package var cron: String
  /// IANA name; UTC by default.
  package var timeZone: String
  package var template: String?
  package var steps: [StepSpec] = []
  package var parameters: JSONObject = [:]
  package var timeoutSeconds: Int64?

  package var suspended = false
  package var lastScheduleTime: Timestamp?
  /// nil while suspended.
  package var nextRunTime: Timestamp?
  package var lastJob: String?
  package var message: String?

  package var seq: Int64 = 0
  package var revision: Int64 = 0
  package var createdAt: Timestamp
  package var attachments = Attachments()
  package var idempotencyKey: String?
  package var requestDigest: String?
}
