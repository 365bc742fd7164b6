import ArgumentParser
import HTTPServer

/// Where and how the server listens.
struct ServingOptions: ParsableArguments {
  @Option(
    help:
      "Address to listen on; 0.0.0.0 unless told, and 127.0.0.1 with --authorization-mode AlwaysAllow, which takes loopback only.")
  var bindAddress: String?

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
  var tlsCipherSuites: [String] = []

  @Option(help: "Seconds between the signal to stop and the end of what is still in progress.")
  var shutdownGrace: Int = 10

  func validate() throws {
    guard (0...65_535).contains(securePort) else { throw ValidationError("--secure-port must be from 0 to 65535") }
    guard (tlsCertFile == nil) == (tlsPrivateKeyFile == nil) else {
      throw ValidationError("--tls-cert-file and --tls-private-key-file belong together; give both or none")
    }
    guard TLSOptions.Version(rawValue: tlsMinVersion) != nil else {
      throw ValidationError("--tls-min-version \(tlsMinVersion) is unknown; use VersionTLS12 or VersionTLS13")
    }
    let known = TLSOptions.knownCipherSuites
    if let unknown = tlsCipherSuites.separated.first(where: { !known.contains($0) }) {
      throw ValidationError("--tls-cipher-suites: \(unknown) is unknown; known are \(known.joined(separator: ", "))")
    }
    guard shutdownGrace >= 0 else { throw ValidationError("--shutdown-grace must not be negative") }
  }

  var tlsOptions: TLSOptions {
    var options = TLSOptions()
    if let version = TLSOptions.Version(rawValue: tlsMinVersion) { options.minimumVersion = version }
    options.cipherSuites = tlsCipherSuites.separated
    return options
  }
}
