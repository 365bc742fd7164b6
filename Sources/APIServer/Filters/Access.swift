internal import HTTPMessage
internal import KubeWire
internal import Translation

/// Who asks, and whether they may: the two filters before every handler.
struct Access: Sendable {
  /// Only ``user(of:)`` asks it.
  var authenticator: any Authenticator = StandardAuthenticator()
  let authorizer: any Authorizer
  /// Paths, no resources, that need no permission; one that ends in `*` stands for all that begin so (kubernetes-wire A7).
  var alwaysAllowPaths = Access.healthPaths

  static let healthPaths = ["/healthz", "/livez", "/readyz"]

  /// - Throws: 401.
  func user(of request: HTTPRequest) async throws(StatusError) -> UserInfo {
    guard var user = try await authenticator.authenticate(request) else { throw .unauthorized() }
    // A6: also for users of the front proxy.
    if !user.groups.contains("system:authenticated"), !user.groups.contains("system:unauthenticated") {
      user.groups.append("system:authenticated")
    }
    return user
  }

  /// - Throws: 403 for a request that wants to be somebody else, which this server does not do (kubernetes-wire F7).
  func refuseImpersonation(_ request: HTTPRequest, by user: UserInfo) throws(StatusError) {
    guard let header = request.headers.lines.first(where: { $0.name.lowercased().hasPrefix("impersonate-") })?.name else { return }
    throw .forbidden("User \(GoText.quoted(user.name)) cannot impersonate: this server does not take the header \(header.prefix(128))")
  }

  /// - Throws: 403 in Kubernetes' words, 500 when it could not be decided.
  func authorize(_ user: UserInfo, _ info: RequestInfo) async throws(StatusError) {
    if user.groups.contains("system:masters") || isAlwaysAllowed(info) { return }
    guard case .denied(let reason) = try await authorizer.authorize(AuthorizationAttributes(user: user, info: info)) else { return }
    let who = "User \(GoText.quoted(user.name))"
    let end = reason.isEmpty ? "" : ": \(reason)"
    guard info.isResourceRequest else {
      throw .forbidden("\(who) cannot \(info.verb) path \(GoText.quoted(info.path))\(end)")
    }
    let resource = info.subresource.isEmpty ? info.resource : "\(info.resource)/\(info.subresource)"
    let scope = info.namespace.map { "in the namespace \(GoText.quoted($0))" } ?? "at the cluster scope"
    throw .forbidden(
      resource: info.resource, group: info.group, name: info.name,
      reason: "\(who) cannot \(info.verb) resource \(GoText.quoted(resource)) in API group \(GoText.quoted(info.group)) \(scope)\(end)")
  }

  func isAlwaysAllowed(_ info: RequestInfo) -> Bool {
    !info.isResourceRequest
      && alwaysAllowPaths.contains { $0.hasSuffix("*") ? info.path.hasPrefix($0.dropLast()) : $0 == info.path }
  }
}
