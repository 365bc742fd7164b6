import JSON
import OrderedCollections
import YAMLText

extension ClusterAccess {
  /// The current context of a kubeconfig file, as kubectl reads it. Paths in it are relative to its folder.
  ///
  /// - Throws: for what cannot be read or found, and for users that need a program (exec), an auth provider, a password or impersonation.
  package init(kubeconfig path: String) throws(ClusterAccessError) {
    guard let bytes = SmallFile.read(path) else { throw ClusterAccessError("kubeconfig \(path) cannot be read") }
    do throws(ClusterAccessError) {
      self = try KubeconfigReader(bytes, folder: SmallFile.folder(of: path)).access(origin: path)
    } catch {
      throw ClusterAccessError("kubeconfig \(path): \(error)")
    }
  }
}

/// Takes a kubeconfig apart.
private struct KubeconfigReader {
  private let root: JSONValue
  private let folder: String

  init(_ bytes: [UInt8], folder: String) throws(ClusterAccessError) {
    do {
      root = try YAMLText.json(bytes)
    } catch {
      throw ClusterAccessError(error.description)
    }
    guard root.object != nil else { throw ClusterAccessError("it is empty or no YAML object") }
    self.folder = folder
  }

  func access(origin: String) throws(ClusterAccessError) -> ClusterAccess {
    guard let current = text(root, "current-context") else { throw ClusterAccessError("it has no current-context") }
    let context = try entry("contexts", "context", current)
    guard let clusterName = text(context, "cluster") else { throw ClusterAccessError("context \"\(current)\" names no cluster") }
    let cluster = try entry("clusters", "cluster", clusterName)
    guard var server = text(cluster, "server") else { throw ClusterAccessError("cluster \"\(clusterName)\" has no server") }
    if !server.contains("://") { server = "https://" + server }
    while server.hasSuffix("/") { server.removeLast() }

    var access = ClusterAccess(server: server, origin: origin)
    access.authority = try pem(cluster, "certificate-authority", "cluster \"\(clusterName)\"")
    access.tlsServerName = text(cluster, "tls-server-name")
    access.proxy = text(cluster, "proxy-url")
    access.insecureSkipVerify = cluster["insecure-skip-tls-verify"]?.bool ?? false
    if access.insecureSkipVerify, access.authority != nil {
      throw ClusterAccessError("cluster \"\(clusterName)\": certificate-authority and insecure-skip-tls-verify exclude each other")
    }
    guard let userName = text(context, "user") else { return access }
    let user = try entry("users", "user", userName)
    try refuse(user, "user \"\(userName)\"")
    access.clientCertificate = try pem(user, "client-certificate", "user \"\(userName)\"")
    access.clientKey = try pem(user, "client-key", "user \"\(userName)\"")
    guard (access.clientCertificate == nil) == (access.clientKey == nil) else {
      throw ClusterAccessError("user \"\(userName)\": client-certificate and client-key belong together")
    }
    // As client-go: a file goes before a token in the text.
    access.token = text(user, "tokenFile").map { .file(absolute($0)) } ?? text(user, "token").map { .text($0) }
    return access
  }

  private func refuse(_ user: JSONValue, _ who: String) throws(ClusterAccessError) {
    let advice = "use a client certificate, a token or a tokenFile"
    if user["exec"]?.object != nil {
      throw ClusterAccessError("\(who) asks a program for credentials (exec), which a server does not; \(advice)")
    }
    if user["auth-provider"]?.object != nil { throw ClusterAccessError("\(who) uses an auth-provider, which is not supported; \(advice)") }
    if text(user, "username") != nil || text(user, "password") != nil {
      throw ClusterAccessError("\(who) has a user name and password, which Kubernetes no longer takes; \(advice)")
    }
    for key in ["as", "as-uid", "as-groups", "as-user-extra"] where isGiven(user[key]) {
      throw ClusterAccessError("\(who) impersonates another user (\(key)), which is not supported; \(advice)")
    }
  }

  private func isGiven(_ value: JSONValue?) -> Bool {
    guard let value, value != .null else { return false }
    return value.string?.isEmpty != true && value.array?.isEmpty != true && value.object?.isEmpty != true
  }

  private func entry(_ list: String, _ kind: String, _ name: String) throws(ClusterAccessError) -> JSONValue {
    guard let found = root[list]?.array?.first(where: { $0["name"]?.string == name })?[kind] else {
      throw ClusterAccessError("there is no \(kind) \"\(name)\" in \(list)")
    }
    return found
  }

  private func text(_ value: JSONValue, _ name: String) -> String? { value[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }

  /// `NAME-data` goes before `NAME`, as in client-go.
  private func pem(_ value: JSONValue, _ name: String, _ owner: String) throws(ClusterAccessError) -> ClusterAccess.PEMSource? {
    if let encoded = text(value, name + "-data") {
      guard let bytes = Base64.decode(encoded.filter { !$0.isWhitespace }) else {
        throw ClusterAccessError("\(owner): \(name)-data is not base64")
      }
      return .data(bytes)
    }
    return text(value, name).map { .file(absolute($0)) }
  }

  private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : folder + "/" + path }
}
