extension ClusterAccess {
  /// Where every pod finds its service account.
  package static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

  /// What a pod is given: the API's address in the environment, a rotating token and the CA in files. nil outside a pod.
  ///
  /// - Throws: inside a pod whose service account is not mounted.
  package static func inCluster(
    environment: [String: String], folder: String = ClusterAccess.serviceAccountFolder
  ) throws(ClusterAccessError) -> ClusterAccess? {
    guard let host = environment["KUBERNETES_SERVICE_HOST"], let port = environment["KUBERNETES_SERVICE_PORT"], !host.isEmpty, !port.isEmpty
    else { return nil }
    guard SmallFile.read(folder + "/token") != nil else {
      throw ClusterAccessError(
        "\(folder)/token cannot be read, though KUBERNETES_SERVICE_HOST is set; does the pod have automountServiceAccountToken: false?")
    }
    return ClusterAccess(
      server: "https://\(host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host):\(port)", authority: .file(folder + "/ca.crt"),
      token: .file(folder + "/token"), proxy: "", origin: "the service account")
  }
}
