import ArgumentParser
import Certificates
import Foundation

/// Makes the certificates of a demo or a test: never those of a cluster, where cert-manager does that.
struct CertificatesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certificates",
    abstract: "Makes a CA, a serving certificate for loopback and an administrator's client certificate, for trying things out.")

  @Option(help: "Folder to write ca.crt, ca.key, server.crt, server.key, admin.crt and admin.key to; made when missing.")
  var dir: String

  func run() throws {
    let folder = URL(fileURLWithPath: dir, isDirectory: true)
    if FileManager.default.fileExists(atPath: folder.appendingPathComponent("ca.crt").path) { return }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let authority = try CertificateAuthority.makeSelfSigned(commonName: "workflow-apiserver-demo", validFor: .seconds(365 * 86_400))
    let server = try authority.issue(
      commonName: "workflow-apiserver", dnsNames: ["localhost", "workflow-apiserver.workflow-system.svc"],
      ipAddresses: ["127.0.0.1", "::1"],
      usage: .server, validFor: .seconds(365 * 86_400))
    let admin = try authority.issue(
      commonName: "demo-admin", organizations: ["system:masters"], usage: .client, validFor: .seconds(365 * 86_400))
    func write(_ name: String, _ text: String, secret: Bool = false) throws {
      let path = folder.appendingPathComponent(name).path
      guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: secret ? 0o600 : 0o644])
      else {
        throw ValidationError("cannot write \(path)")
      }
    }
    try write("ca.key", authority.privateKeyPEM, secret: true)
    try write("server.crt", server.certificatePEM)
    try write("server.key", server.privateKeyPEM, secret: true)
    try write("admin.crt", admin.certificatePEM)
    try write("admin.key", admin.privateKeyPEM, secret: true)
    try write("ca.crt", authority.certificatePEM)
  }
}
