import ArgumentParser
import Foundation

/// Prints a kubeconfig that goes straight to a gateway with the certificates of ``CertificatesCommand``.
struct KubeconfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kubeconfig", abstract: "Prints a kubeconfig for the certificates that the certificates command made.")

  @Option(help: "Folder with ca.crt, admin.crt and admin.key.")
  var dir: String

  @Option(help: "URL of the gateway, for example https://127.0.0.1:6443.")
  var server: String

  func run() throws {
    func file(_ name: String) throws -> String {
      let path = URL(fileURLWithPath: dir).appendingPathComponent(name).path
      guard let data = FileManager.default.contents(atPath: path) else {
        throw ValidationError("cannot read \(path); run the certificates command first")
      }
      return data.base64EncodedString()
    }
    print(
      """
      apiVersion: v1
      kind: Config
      clusters:
      - name: workflow-apiserver
        cluster:
          server: \(server)
          certificate-authority-data: \(try file("ca.crt"))
      users:
      - name: demo-admin
        user:
          client-certificate-data: \(try file("admin.crt"))
          client-key-data: \(try file("admin.key"))
      contexts:
      - name: workflow-apiserver
        context: {cluster: workflow-apiserver, user: demo-admin, namespace: default}
      current-context: workflow-apiserver
      """)
  }
}
