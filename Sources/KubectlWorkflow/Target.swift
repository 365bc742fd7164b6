import ArgumentParser

/// Which Workflow, and how to reach the cluster; the flags are kubectl's own.
struct Target: ParsableArguments {
  @Argument(help: "The Workflow's name.")
  var name: String
  @Option(name: .shortAndLong, help: "Its namespace; by default the one of the current context.")
  var namespace: String?
  @Option(help: "The API group.")
  var group = "workflow.example.com"
  @Option(help: "The kubeconfig file.")
  var kubeconfig: String?
  @Option(help: "The context of the kubeconfig.")
  var context: String?

  /// Flags that every kubectl command gets.
  var connection: [String] {
    (kubeconfig.map { ["--kubeconfig", $0] } ?? []) + (context.map { ["--context", $0] } ?? [])
  }

  /// The path of one of its subresources.
  func path(_ subresource: String) throws -> String {
    let namespace =
      try namespace ?? Kubectl.output(["config", "view", "--minify", "-o", "jsonpath={..namespace}"] + connection)
    return
      "/apis/\(group)/v1alpha1/namespaces/\(Self.encoded(namespace.isEmpty ? "default" : namespace))/workflows/\(Self.encoded(name))/\(subresource)"
  }

  /// RFC 3986: everything but unreserved characters percent-encoded.
  static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: String(UnicodeScalar(byte))
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }
}
