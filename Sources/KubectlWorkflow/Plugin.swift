import ArgumentParser

/// `kubectl workflow …`: what kubectl itself cannot do with kinds that it does not know. Every command becomes one request through kubectl, so that its
/// kubeconfig, context and credentials are used as they are.
@main
struct Plugin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kubectl-workflow", abstract: "Logs, cancel and retry of Workflows.",
    subcommands: [LogsCommand.self, CancelCommand.self, RetryCommand.self])
}

struct LogsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "logs", abstract: "Prints the output of a Workflow's run.")

  @OptionGroup var target: Target
  @Flag(name: .shortAndLong, help: "Go on until the run has ended.")
  var follow = false
  @Option(help: "One step only.")
  var step: String?
  @Option(help: "Only that many lines from the end.")
  var tail: Int?
  @Option(help: "Only what is newer than that, such as 30s or 10m.", transform: Target.seconds)
  var since: Int?
  @Option(help: "Only what is newer than that many seconds.")
  var sinceSeconds: Int?

  func run() throws {
    var query: [String] = []
    if follow { query.append("follow=true") }
    if let step { query.append("step=\(Target.encoded(step))") }
    if let tail { query.append("tailLines=\(tail)") }
    if let sinceSeconds = since ?? sinceSeconds { query.append("sinceSeconds=\(sinceSeconds)") }
    let path = try target.path("log") + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    try Kubectl.become(["get", "--raw", path] + target.connection)
  }
}

struct CancelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Stops a Workflow's active run.")
  @OptionGroup var target: Target

  func run() throws { try target.act("cancel", done: "cancelled") }
}

struct RetryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "retry", abstract: "Runs a Workflow that has failed again.")
  @OptionGroup var target: Target

  func run() throws { try target.act("retry", done: "retried") }
}
