import APIServer
import ArgumentParser
import Configuration
import Foundation
import KubeWire
import Logging
import Translation

/// For what people write before they have a cluster: the configuration with its adapter files, read as the gateway reads it. No connection is opened.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks a configuration and the adapter files that it names, and ends; no engine is asked.")

  @Option(help: "The gateway's configuration: backends and bindings (docs/configuration.md).")
  var config: String

  @Option(help: "Folder with one folder per adapter, each with an adapter.yaml.")
  var adaptersDir: String = "adapters"

  func run() async throws {
    do {
      let configuration = try GatewayConfiguration(file: config)
      let logger = Logger(label: "workflow-apiserver")
      let assembly = try await Assembly(
        configuration, adaptersDirectory: adaptersDir,
        cluster: ClusterWiring(nil, group: APIGroup(name: configuration.group), environment: [:], logger: logger),
        backendUse: EveryBackend(), metrics: ServerMetrics(), clock: SystemClock(), logger: logger)
      assembly.shutdown()
      for backend in configuration.backends { print("backend \(backend.name): \(backend.adapter) at \(backend.url)") }
      for binding in configuration.bindings {
        print("binding \(binding.name): \(binding.backend) in namespace \(binding.namespace), access \(binding.access.rawValue)")
      }
    } catch let failure as StartFailure {
      for line in failure.lines { printError("workflow-apiserver: \(line)") }
      throw ExitCode(1)
    }
  }
}

extension GatewayConfiguration {
  /// - Throws: ``StartFailure`` with every mistake and its line.
  init(file: String) throws {
    guard let data = FileManager.default.contents(atPath: file), let text = String(data: data, encoding: .utf8) else {
      throw StartFailure("cannot read the configuration \(file); --config names the file")
    }
    do {
      self = try GatewayConfiguration(yaml: text, file: file)
    } catch {
      throw StartFailure(error.problems.map(\.description))
    }
  }
}
