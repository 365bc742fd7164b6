package import JSON

/// What one gateway serves: the contents of the configuration file, checked.
package struct GatewayConfiguration: Sendable {
  /// The API group; `workflow.example.com` unless told.
  package var group = "workflow.example.com"
  /// Keys that sign envelopes; the first signs, all of them verify. Empty: envelopes are not signed.
  package var envelopeSigningKeyFiles: [String] = []
  package var backends: [Backend] = []
  package var bindings: [Binding] = []

  /// One installation of an engine.
  package struct Backend: Sendable {
    package var name: String
    /// The adapter's name: a folder of --adapters-dir, or one that is compiled in.
    package var adapter: String
    /// Without a trailing slash.
    package var url: String
    package var settings: JSONValue = .emptyObject
    package var credentials: [String: CredentialSource] = [:]
    package var transport = Transport()
    package var budget = Budget()
    /// Where it stands in the file, for messages of later checks.
    package var place: String
  }

  /// Where a secret is read from, at each use.
  package enum CredentialSource: Sendable, Hashable {
    case file(String)
    case environment(String)
  }

  package struct Transport: Sendable {
    package var caFile: String?
    package var clientCertificateFile: String?
    package var clientKeyFile: String?
    package var proxy: String?
    package var noProxy: String?
    package var unixSocketPath: String?
    package var insecureSkipTLSVerify = false
  }

  /// How much of us an engine has to bear.
  package struct Budget: Sendable {
    package var requestsPerSecond: Double = 20
    package var maxConcurrentRequests = 8
  }

  /// Which part of a backend appears in which namespace.
  package struct Binding: Sendable {
    package enum Access: String, Sendable, CaseIterable {
      /// Every write is refused.
      case observe = "Observe"
      /// Writes act only on runs that were submitted here.
      case submit = "Submit"
      /// Runs made elsewhere can be cancelled and deleted, too.
      case manage = "Manage"
    }

    package enum DeletionPolicy: String, Sendable, CaseIterable {
      /// Deleting a Workflow removes its run from the engine.
      case delete = "Delete"
      /// Deleting a Workflow hides it; its run stays in the engine.
      case retain = "Retain"
    }

    package var name: String
    package var backend: String
    package var namespace: String
    package var scope: JSONValue = .emptyObject
    package var access = Access.submit
    package var deletionPolicy = DeletionPolicy.delete
    /// nil: on for the built-in engine, off for every other.
    package var inlineSteps: Bool?
    /// Writes need the verb `use` on the WorkflowBackend, beside the verb on the Workflow.
    package var requireUseVerb = false
    package var disabled = false
    package var poll = Poll()
    package var window = Window()
    package var place: String
  }

  package struct Poll: Sendable {
    /// Between polls while runs are active or somebody watches; six times that when nothing goes on. Zero switches polling off: the first full read
    /// and the reads of users remain.
    package var interval: Duration = .seconds(5)
    /// Between full reads.
    package var sweepInterval: Duration = .seconds(300)
    package var templatesInterval: Duration = .seconds(60)
  }

  /// How long finished runs stay visible.
  package struct Window: Sendable {
    package var maxAge: Duration = .seconds(7 * 24 * 3600)
  }
}
