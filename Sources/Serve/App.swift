import ArgumentParser

/// The gateway's program. Without a subcommand it serves, so that its flags read like those of every Kubernetes component.
@main
struct WorkflowAPIServer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workflow-apiserver",
    abstract: "Shows an existing CI or workflow engine as Kubernetes resources.",
    version: "workflow-apiserver \(Version.text)",
    subcommands: [ServeCommand.self, CheckCommand.self, CertificatesCommand.self, KubeconfigCommand.self, AdapterCommand.self],
    defaultSubcommand: ServeCommand.self)

  static func main() async { await main(BooleanFlags.writtenOut(Array(CommandLine.arguments.dropFirst()))) }
}
