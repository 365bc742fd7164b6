package import KubeWire
package import Translation

/// What shall be allowed or not.
package struct AuthorizationAttributes: Sendable {
  package var user: UserInfo
  package var info: RequestInfo

  package init(user: UserInfo, info: RequestInfo) {
    self.user = user
    self.info = info
  }
}

package enum AuthorizationDecision: Sendable, Hashable {
  case allowed
  /// With what is added to the refusal; empty for nothing.
  case denied(reason: String)
}

/// Decides what somebody may do.
package protocol Authorizer: Sendable {
  /// - Throws: 500 when it could not be found out; never a denial (kubernetes-wire A9).
  func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision
}

/// Everybody may do everything: for the demo on loopback only.
package struct AlwaysAllow: Authorizer {
  package init() {}
  package func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision { .allowed }
}
