internal import ArgumentParser
internal import Dispatch
internal import EngineCore
internal import Foundation
internal import Logging

/// The command line of workflow-engine.
@main
struct EngineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workflow-engine",
    abstract: "A small CI engine: runs the steps of jobs as local processes, behind an HTTP API on loopback.",
    version: EngineVersion.current)

  @Option(help: "Loopback address and port to listen on; port 0 takes a free one.")
  var listen: String?

  @Option(help: "Listen on this unix socket instead.")
  var unixSocket: String?

  @Option(help: "File with the bearer token; made with a random token, readable by its owner only, if it does not exist.")
  var tokenFile: String

  @Option(help: "File to write the port to once the engine listens.")
  var portFile: String?

  @Option(help: "Folder for jobs, schedules, templates and logs. Without it they are lost when the engine stops.")
  var dataDir: String?

  @Option(help: "Folder in which each job gets a folder of its own. Default: work below the data folder, else a temporary folder.")
  var workDir: String?

  @Option(help: "Jobs that run at the same time.")
  var maxParallelJobs = 4

  @Option(help: "Jobs that are kept; above that the oldest finished ones are removed.")
  var maxJobs = 10_000

  @Option(help: "Bytes of log kept of each step.")
  var maxLogBytes = 8 << 20

  @Option(help: "Seconds between SIGTERM and SIGKILL when a step is ended.")
  var graceSeconds = 5

  @Option(help: "A JSON file with a template or an array of templates, or a folder of such files. May be repeated.")
  var templates: [String] = []

  @Option(help: "File to which one line per request is appended. Default: standard error.")
  var requestLog: String?

  @Flag(help: "Honour X-Fault headers, --fault and /v1/faults. For tests of clients only.")
  var allowFaults = false

  @Option(help: "A fault to begin with, such as 'status=503;count=2;path=/v1/jobs'. May be repeated; needs --allow-faults.")
  var fault: [String] = []

  func validate() throws {
    if listen != nil && unixSocket != nil { throw ValidationError("--listen and --unix-socket exclude each other") }
    if !fault.isEmpty && !allowFaults { throw ValidationError("--fault needs --allow-faults") }
    if maxParallelJobs < 1 { throw ValidationError("--max-parallel-jobs must be at least 1") }
    if maxJobs < 1 { throw ValidationError("--max-jobs must be at least 1") }
    if maxLogBytes < 1024 { throw ValidationError("--max-log-bytes must be at least 1024") }
    if graceSeconds < 0 { throw ValidationError("--grace-seconds must not be negative") }
    _ = try address()
    for text in fault { _ = try parse(text) }
  }

  func run() async throws {
    // Before anything runs that a signal should end in an orderly way.
    let signals = Signals()
    // A port of an earlier run would mislead whoever waits for this file.
    if let portFile { Files.remove(portFile) }
    let logger = Logger(label: "workflow-engine", factory: { StreamLogHandler.standardError(label: $0) })
    let temporary = workDir == nil && dataDir == nil ? NSTemporaryDirectory() + "workflow-engine-\(UUID().uuidString)" : nil
    defer { if let temporary { Files.remove(temporary) } }
    let server: EngineServer
    do {
      var settings = EngineSettings(
        address: try address(), token: try BearerToken.load(tokenFile),
        workFolder: Self.absolute(workDir ?? dataDir.map { "\($0)/work" } ?? temporary!))
      settings.dataFolder = dataDir.map(Self.absolute)
      settings.limits.parallelJobs = maxParallelJobs
      settings.limits.jobs = maxJobs
      settings.limits.grace = .seconds(graceSeconds)
      settings.maximumLogBytes = maxLogBytes
      settings.requestLog = requestLog
      settings.allowFaults = allowFaults
      settings.faults = try fault.map(parse)
      settings.templates = try templates.flatMap { try TemplateFiles.load($0) }
      server = try await EngineServer.start(settings, logger: logger)
    } catch let error as FileError {
      throw ValidationError(error.description)
    }
    if let port = server.port {
      if let portFile { try Files.replace(portFile, with: Array("\(port)\n".utf8)) }
      logger.notice("listening", metadata: ["port": "\(port)"])
      print("workflow-engine \(EngineVersion.current) listens on port \(port)")
    } else {
      print("workflow-engine \(EngineVersion.current) listens on \(unixSocket ?? "")")
    }
    fflush(nil)
    await signals.first()
    logger.notice("stopping")
    await server.stop()
  }

  private func parse(_ text: String) throws -> Fault {
    do { return try Fault(text) } catch { throw ValidationError(error.message) }
  }

  private func address() throws -> EngineSettings.Address {
    if let unixSocket { return .unixSocket(unixSocket) }
    let text = listen ?? "127.0.0.1:0"
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw ValidationError("--listen wants ADDRESS:PORT, not \"\(text)\"")
    }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    if host == "localhost" { host = "127.0.0.1" }
    guard host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").compactMap { UInt8($0) }.count == 4) else {
      throw ValidationError(
        "--listen \(text): the engine runs commands for whoever reaches it, so it listens on loopback (127.0.0.1 or [::1]) only")
    }
    return .loopback(host: host, port: Int(port))
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}
