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

  @Option(help: "Address to listen on. Only loopback, until delegated authentication and authorization are complete.")
  var bindAddress: String = "127.0.0.1"

  @Option(help: "Port for HTTPS; 0 takes a free one.")
  var securePort: Int = 6443

  @Option(help: "File to which the port is written once the server listens.")
  var portFile: String?

  @Option(help: "Serving certificate with its chain, PEM. Reloaded when it changes. Without it a self-signed one is made.")
  var tlsCertFile: String?

  @Option(help: "Private key of --tls-cert-file, PEM.")
  var tlsPrivateKeyFile: String?

  @Option(help: "Lowest TLS version: VersionTLS12 or VersionTLS13.")
  var tlsMinVersion: String = "VersionTLS12"

  @Option(help: "Cipher suites for TLS 1.2, by their IANA names, separated by commas.")
  var tlsCipherSuites: String?

  @Option(help: "CA bundle, PEM: a client certificate it signed names a user (CN) and groups (O).")
  var clientCaFile: String?

  @Option(help: "CA bundle, PEM, of the front proxy.")
  var requestheaderClientCaFile: String?

  @Option(help: "AlwaysAllow is the only mode yet, and only on loopback.")
  var authorizationMode: String

  @Option(help: "Requests in progress at once, watches and logs not counted; above it 429.")
  var maxRequestsInflight: Int = 400

  @Option(help: "Seconds between the signal to stop and the end of what is still in progress.")
  var shutdownGrace: Int = 10

  @Option(name: .customLong("v"), help: "Verbosity: 0 what operators must know, 2 requests that fail, 4 every request.")
  var verbosity: Int = 0

  func validate() throws {
    guard LoopbackAddress.contains(bindAddress) else {
      throw ValidationError(
        "--bind-address \(bindAddress) is not loopback: until delegated authentication and authorization are complete, the gateway listens on 127.0.0.1 or ::1 only"
      )
    }
    guard authorizationMode == "AlwaysAllow" else {
      throw ValidationError("--authorization-mode \(authorizationMode) is unknown; the only mode yet is AlwaysAllow, on loopback")
    }
    guard (0...65_535).contains(securePort) else { throw ValidationError("--secure-port must be from 0 to 65535") }
    guard (tlsCertFile == nil) == (tlsPrivateKeyFile == nil) else {
      throw ValidationError("--tls-cert-file and --tls-private-key-file belong together; give both or none")
    }
    guard TLSOptions.Version(rawValue: tlsMinVersion) != nil else {
      throw ValidationError("--tls-min-version \(tlsMinVersion) is unknown; use VersionTLS12 or VersionTLS13")
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
