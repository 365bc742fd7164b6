import Foundation
import KubeClient

/// The clients of the cluster that the flags name: one for each kubeconfig, shared.
struct ClusterClients {
  /// For admission, namespaces and Events. nil without a cluster.
  let main: (any KubeAPI)?
  /// For TokenReviews and the cluster's CAs.
  let authentication: (any KubeAPI)?
  /// For SubjectAccessReviews.
  let authorization: (any KubeAPI)?

  /// - Throws: ``StartFailure`` for a kubeconfig that cannot be used, and when nobody can be asked who may do what.
  init(_ command: ServeCommand, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    let mode = command.authorization.authorizationMode
    var known: [String: any KubeAPI] = [:]
    func client(_ path: String) throws -> any KubeAPI {
      if let client = known[path] { return client }
      do {
        let client = CurlKubeClient(try ClusterAccess(kubeconfig: path), environment: environment)
        known[path] = client
        return client
      } catch {
        throw StartFailure("\(error)")
      }
    }
    if let path = command.cluster.kubeconfig {
      main = try client(path)
    } else if mode == .webhook {
      do {
        main = try ClusterAccess.inCluster(environment: environment).map { CurlKubeClient($0, environment: environment) }
      } catch {
        throw StartFailure("\(error)")
      }
    } else {
      // What lets everybody do everything is for one's own machine, also when that is a pod.
      main = nil
    }
    authentication = try command.authentication.authenticationKubeconfig.map(client) ?? main
    authorization = try command.authorization.authorizationKubeconfig.map(client) ?? main
    guard mode == .alwaysAllow || authorization != nil else {
      throw StartFailure(
        "--authorization-mode Webhook needs a cluster to ask, and this is no pod: give --kubeconfig (or --authorization-kubeconfig), or try it out on this machine alone with --authorization-mode AlwaysAllow"
      )
    }
  }
}
