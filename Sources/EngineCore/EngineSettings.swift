/// What an engine is started with.
package struct EngineSettings: Sendable {
  /// Where the engine listens.
  package enum Address: Sendable {
    /// A loopback address; port 0 takes any free one.
    case loopback(host: String, port: Int)
    case unixSocket(String)
  }

  package var address: Address
  package var token: BearerToken
  /// The journal and the logs; nil keeps jobs in memory.
  package var dataFolder: String?
  /// Holds one folder per job.
  package var workFolder: String
  package var templates: [Template] = []
  package var limits = EngineState.Limits()
  package var maximumLogBytes = 8 << 20
  /// nil for standard error.
  package var requestLog: String?
  package var allowFaults = false
  package var faults: [Fault] = []

  package init(address: Address, token: BearerToken, workFolder: String) {
    self.address = address
    self.token = token
    self.workFolder = workFolder
  }
}
