/// What the shell has to do after a turn, in this order: store ``changes``, then carry out ``actions``.
struct EngineEffects: Sendable {
  var changes: [Change] = []
  var actions: [Action] = []

  var isEmpty: Bool { changes.isEmpty && actions.isEmpty }

  /// An object whose stored form is out of date.
  enum Change: Hashable, Sendable {
    case job(String)
    case schedule(String)
    case template(String)
    /// The job is gone and its absence is not to be told: the fault "forget".
    case forgotten(String)
  }

  enum Action: Hashable, Sendable {
    case start(StepRun)
    /// To the process group of the job's running step.
    case signal(job: String, StopSignal)
    /// Processes that an earlier life of the engine left behind.
    case killLeftovers(job: String)
    /// The job ended or was removed: whoever follows its log is told.
    case ended(job: String)
    /// Work directory and logs can go.
    case removeFiles(job: String)
  }

  enum StopSignal: Hashable, Sendable { case terminate, kill }
}

/// A step that is to run now.
struct StepRun: Hashable, Sendable {
  var job: String
  var step: Int
  var attempt: Int
  var command: StepCommand
}

/// How a step's process ended.
enum StepOutcome: Hashable, Sendable {
  case exited(Int)
  case signalled(Int)
  /// No process came to be, with the reason.
  case notStarted(String)
}
