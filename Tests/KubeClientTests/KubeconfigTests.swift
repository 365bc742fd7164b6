import Foundation
import KubeClient
import TestSupport
import Testing

@Suite struct KubeconfigTests {
  @Test func certificatesTokensAndNames() throws {
    let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    let access = try read(
      """
      apiVersion: v1
      kind: Config
      current-context: here
      contexts:
      - {name: there, context: {cluster: other, user: nobody}}
      - {name: here, context: {cluster: main, user: robot, namespace: x}}
      clusters:
      - name: main
        cluster:
          server: https://10.0.0.1:6443/k8s/
          certificate-authority-data: \(Data(pem.utf8).base64EncodedString())
          tls-server-name: kubernetes.default.svc
          proxy-url: http://proxy:3128
      users:
      - name: robot
        user: {client-certificate: pki/robot.crt, client-key: /etc/robot.key, token: static, tokenFile: token}
      """)
    #expect(access.server == "https://10.0.0.1:6443/k8s")
    #expect(access.authority == .data(Array(pem.utf8)))
    #expect(access.tlsServerName == "kubernetes.default.svc")
    #expect(access.proxy == "http://proxy:3128")
    guard case .file(let certificate) = access.clientCertificate else { return #expect(Bool(false)) }
    #expect(certificate.hasSuffix("/pki/robot.crt") && certificate.hasPrefix("/"))
    #expect(access.clientKey == .file("/etc/robot.key"))
    guard case .file(let token) = access.token else { return #expect(Bool(false)) }
    #expect(token.hasSuffix("/token"))
  }

  @Test(arguments: [
    (
      "exec: {command: aws}",
      "asks a program for credentials (exec), which a server does not; use a client certificate, a token or a tokenFile"
    ),
    ("auth-provider: {name: gcp}", "uses an auth-provider, which is not supported"),
    ("username: a", "has a user name and password"),
    ("as: admin", "impersonates another user (as)"),
    ("as-uid: '1'", "impersonates another user (as-uid)"),
    ("as-groups: [system:masters]", "impersonates another user (as-groups)"),
    ("as-user-extra: {a: [b]}", "impersonates another user (as-user-extra)"),
    ("client-certificate: a.crt", "client-certificate and client-key belong together"),
    ("client-key-data: '%%%'", "client-key-data is not base64"),
  ])
  func usersThatAreRefused(user: String, text: String) {
    let error = #expect(throws: ClusterAccessError.self) {
      try read(
        """
        current-context: c
        contexts: [{name: c, context: {cluster: k, user: u}}]
        clusters: [{name: k, cluster: {server: "https://k"}}]
        users: [{name: u, user: {\(user)}}]
        """)
    }
    #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("user \"u\"") == true)
  }

  @Test(arguments: [
    ("{}", "it has no current-context"),
    ("current-context: c", "there is no context \"c\" in contexts"),
    ("{current-context: c, contexts: [{name: c, context: {cluster: k}}]}", "there is no cluster \"k\" in clusters"),
    ("{current-context: c, contexts: [{name: c, context: {cluster: k}}], clusters: [{name: k, cluster: {}}]}", "has no server"),
    (
      "{current-context: c, contexts: [{name: c, context: {cluster: k}}], clusters: [{name: k, cluster: {server: s, certificate-authority: f, insecure-skip-tls-verify: true}}]}",
      "exclude each other"
    ),
    ("a: [", "line "),
  ])
  func filesThatAreWrong(file: String, text: String) {
    let error = #expect(throws: ClusterAccessError.self) { try read(file) }
    #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
  }

  @Test func aMissingFileIsNamed() {
    #expect(throws: ClusterAccessError.self) { try ClusterAccess(kubeconfig: "/nonexistent/config") }
  }

  @Test func insideAPod() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    #expect(try ClusterAccess.inCluster(environment: [:], folder: folder.path) == nil)
    let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
    #expect(throws: ClusterAccessError.self) { try ClusterAccess.inCluster(environment: environment, folder: folder.path) }
    try folder.write("t", to: "token")
    let access = try ClusterAccess.inCluster(environment: environment, folder: folder.path)
    #expect(access?.server == "https://[fd00::1]:443")
    #expect(access?.token == .file(folder.path + "/token"))
    #expect(access?.authority == .file(folder.path + "/ca.crt"))
  }

  @discardableResult
  private func read(_ text: String) throws -> ClusterAccess {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.write(text, to: "config")
    return try ClusterAccess(kubeconfig: folder.path + "/config")
  }
}
