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
  /// With why, for the audit log; empty where nobody says.
  case permitted(reason: String)
  /// With what is added to the refusal; empty for nothing.
  case denied(reason: String)

  package static var allowed: AuthorizationDecision { .permitted(reason: "") }

  package var isAllowed: Bool {
    switch self {
    case .permitted: true
    case .denied: false
    }
  }

  package var reason: String {
    switch self {
    case .permitted(let reason), .denied(let reason): reason
    }
  }
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
