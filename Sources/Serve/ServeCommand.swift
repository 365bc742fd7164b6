import ArgumentParser
import HTTPServer
import Logging

/// Serves. The flags have the names that Kubernetes components give them.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "serve", abstract: "Serves the API (the default).")

  @Option(help: "The gateway's configuration: backends and bindings (docs/configuration.md).")
  var config: String

  @Option(help: "Folder with one folder per adapter, each with an adapter.yaml.")
  var adaptersDir: String = "adapters"

  @OptionGroup(title: "Serving") var serving: ServingOptions
  @OptionGroup(title: "Cluster") var cluster: ClusterOptions
  @OptionGroup(title: "Authentication") var authentication: AuthenticationOptions
  @OptionGroup(title: "Authorization") var authorization: AuthorizationOptions
  @OptionGroup(title: "Limits") var limits: LimitOptions
  @OptionGroup(title: "Audit") var audit: AuditOptions

  @Option(name: .customLong("v"), help: "Verbosity: 0 what operators must know, 2 requests that fail, 4 every request.")
  var verbosity: Int = 0

  /// What --bind-address says or, without it, the mode.
  var bindAddress: String { serving.bindAddress ?? (authorization.authorizationMode == .alwaysAllow ? "127.0.0.1" : "0.0.0.0") }

  func validate() throws {
    if authorization.authorizationMode == .alwaysAllow, !LoopbackAddress.contains(bindAddress) {
      throw ValidationError(
        "--bind-address \(bindAddress) is not loopback, and --authorization-mode AlwaysAllow lets everybody do everything; listen on 127.0.0.1 or ::1, or use --authorization-mode Webhook"
      )
    }
  }

  func run() async throws {
    var logger = Logger(label: "workflow-apiserver")
    logger.logLevel = verbosity >= 4 ? .debug : verbosity >= 2 ? .info : .notice
    do {
      try await Program(command: self, logger: logger).run()
    } catch let error as StartFailure {
      for line in error.lines { printError("workflow-apiserver: \(line)") }
      throw ExitCode(1)
    }
  }
}
