internal import AdapterKit
internal import CEL
internal import JSON

/// An adapter file that was read and checked: everything compiled, nothing connected.
package struct AdapterFile: Sendable {
  package struct Credential: Sendable, Hashable {
    package var name: String
    package var description: String
    package var optional: Bool
    /// Taken out of messages and traces; a user's name need not be.
    package var secret: Bool
  }

  struct Traits: Sendable {
    var submissionKeys: SubmissionKeys = .none
    var enforcesTimeout = false
    var inlineSteps: ValueTemplate?
    var listReachRows: Int?
    var listReachAge: Duration?
    var submitDeadline: Duration = .seconds(60)
    var limitations: [String: String] = [:]
  }

  struct Example: Sendable {
    struct Answer: Sendable {
      var request: String
      var status: Int
      var headers: [(name: String, value: String)]
      var body: [UInt8]
      /// What the request's body must hold; members that are not named may be there too.
      var sent: JSONValue?
      var place: Place
    }

    var operation: String
    var input: JSONValue
    var answers: [Answer]
    var expected: JSONValue?
    var expectedError: JSONValue?
    var place: Place
  }

  /// As it was named when it was loaded.
  package var file: String
  package var name: String
  package var version: String
  package var engine: String
  package var description: String
  package var testedWith: [String]
  package var settingsSchema: ValueSchema
  package var scopeSchema: ValueSchema
  package var credentials: [Credential]
  var traits: Traits
  var limits: LimitHints
  var auth: [Auth]
  var scopeRules: ScopeRules
  /// How the engine words its errors.
  var errorMessage: ValueTemplate?
  var errors: [ErrorRule]
  var maximumResponseBytes: Int
  var headers: [(name: String, value: ValueTemplate)]
  var health: HealthOperation
  var runs: RunBlock
  var schedules: RunBlock?
  var templates: TemplatesOperation?
  var parent: RequestChain?
  var overlay: OverlayOperations?
  var marks: MarksOperations?
  var log: LogOperation?
  var examples: [Example]
}
