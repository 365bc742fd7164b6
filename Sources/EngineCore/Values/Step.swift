package import JSON
package import OrderedCollections

/// What a step runs.
package struct StepSpec: Hashable, Sendable {
  package var name: String
  /// Accepted and kept, but not run: this engine starts local processes.
  package var image: String?
  package var command: [String] = []
  package var args: [String] = []
  package var env: OrderedDictionary<String, String> = [:]
}

/// A step of a job: what it runs and how that went.
package struct Step: Hashable, Sendable {
  package var spec: StepSpec
  package var state = StepState.pending
  /// The job's attempt in which this step last ran; 0 before that. Log lines carry it.
  package var attempt = 0
  package var startedAt: Timestamp?
  package var finishedAt: Timestamp?
  /// nil where no process ended by itself. A process that a signal ended has 128 + the signal's number, as shells report it.
  package var exitCode: Int?
  package var message: String?

  init(_ spec: StepSpec) { self.spec = spec }
}
