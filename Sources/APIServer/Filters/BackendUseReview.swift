package import KubeWire
package import Translation

/// Asks the authorizer for the verb `use` on the WorkflowBackend, so that RBAC can say who may spend an engine's money and credentials.
package struct BackendUseReview: BackendUse {
  private let authorizer: any Authorizer
  private let group: String

  /// - Parameter group: of the resources that are served.
  package init(_ authorizer: any Authorizer, group: String) {
    self.authorizer = authorizer
    self.group = group
  }

  package func check(_ user: UserInfo, backend: String) async throws(StatusError) {
    guard var info = RequestInfo(method: "GET", path: "/apis/\(group)/v1alpha1/workflowbackends/\(backend)", query: [:]) else {
      throw .internalError("\(GoText.quoted(backend)) cannot be asked for")
    }
    info.verb = "use"
    try await Access(authorizer: authorizer).authorize(user, info)
  }
}
