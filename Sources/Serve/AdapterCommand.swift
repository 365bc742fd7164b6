import AdapterKit
import ArgumentParser
import Configuration
import CurlTransport
import DeclarativeAdapter
import Foundation
import JSON

/// For people who write adapter files.
struct AdapterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adapter", abstract: "Checks and tries adapter files.", subcommands: [LintCommand.self, TryCommand.self])

  struct LintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lint", abstract: "Checks a file completely: form, expressions, states, and every operation on the file's own examples.")

    @Argument(help: "The adapter.yaml files.")
    var files: [String]

    func run() async throws {
      var allGood = true
      for file in files {
        let (lines, good) = await AdapterLint.lint(file)
        for line in lines { print(line) }
        allGood = allGood && good
      }
      if !allGood { throw ExitCode(1) }
    }
  }

  struct TryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "try", abstract: "Runs one operation against a real engine and prints what went over the wire, secrets taken out.")

    @Argument(help: "The adapter.yaml file.")
    var file: String

    @Argument(help: "One of: \(AdapterTry.operations.joined(separator: ", ")).")
    var operation: String

    @Option(help: "The engine's base URL.")
    var url: String

    @Option(help: "The backend's settings, as JSON.")
    var settings: String = "{}"

    @Option(help: "What the operation gets, as JSON; as in the file's examples under `with`.")
    var with: String = "{}"

    @Option(help: "A credential, as NAME=FILE; may be repeated.")
    var credential: [String] = []

    func run() async throws {
      let loaded: AdapterFile
      do { loaded = try await AdapterFile.load(file) } catch {
        printError("\(error)")
        throw ExitCode(1)
      }
      var sources: [String: String] = [:]
      for pair in credential {
        let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw ValidationError("--credential \(pair) must be NAME=FILE") }
        sources[parts[0]] = parts[1]
      }
      let transport = CurlTransport(CurlConfiguration(environment: ProcessInfo.processInfo.environment))
      let context = BackendContext(
        name: "try", url: url, settings: try JSONValue(parsing: settings), transport: transport,
        credential: Credentials(backend: "try", sources: sources.mapValues { .file($0) }).reader)
      let good = try await AdapterTry.run(loaded, context, operation: operation, input: try JSONValue(parsing: with)) { print($0) }
      transport.shutdown()
      if !good { throw ExitCode(1) }
    }
  }
}
