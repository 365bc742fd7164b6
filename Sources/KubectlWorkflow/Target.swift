import ArgumentParser
import Foundation

/// Which Workflow, and how to reach the cluster; the flags are kubectl's own.
struct Target: ParsableArguments {
  @Argument(help: "The Workflow's name; workflow/NAME and wf/NAME are the same.", transform: Target.name)
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

  /// Asks for something that is done to the run, and says what became of it as kubectl would.
  func act(_ subresource: String, done: String) throws {
    let answer = try Kubectl.output(["create", "--raw", try path(subresource), "-f", "/dev/null"] + connection)
    let object = (try? JSONSerialization.jsonObject(with: Data(answer.utf8))) as? [String: Any]
    // An engine may make a new run of a retry; then the answer has another name.
    let answered = (object?["metadata"] as? [String: Any])?["name"] as? String ?? name
    print("workflow.\(group)/\(name) \(done)\(answered == name ? "" : " as \(answered)")")
  }

  private static func name(_ text: String) throws -> String {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return text }
    let kinds = ["workflow", "workflows", "wf", "workflow.workflow.example.com", "workflows.workflow.example.com"]
    guard parts.count == 2, kinds.contains(parts[0].lowercased()), !parts[1].isEmpty else {
      throw ValidationError("\(text): expected the name of a Workflow, or workflow/NAME")
    }
    return String(parts[1])
  }

  /// `90`, `30s`, `10m` and `2h`.
  static func seconds(_ text: String) throws -> Int {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    let factor = text.last.flatMap { units[$0] }
    guard let count = Int(factor == nil ? text[...] : text.dropLast()), count > 0 else {
      throw ValidationError("--since \(text): expected a time such as 30s, 10m or 2h")
    }
    return count * (factor ?? 1)
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
