package import HTTPMessage
package import KubeWire
package import Translation

/// Front proxy, client certificate, static tokens, then anonymous: in Kubernetes' order (kubernetes-wire A1).
package struct StandardAuthenticator: Authenticator {
  package struct RequestHeaderNames: Sendable {
    package var user: [String]
    package var uid: [String]
    package var group: [String]
    package var extraPrefix: [String]

    /// Kubernetes' defaults; the uid is trusted only where the cluster says so (kubernetes-wire F14).
    package init(
      user: [String] = ["X-Remote-User"], uid: [String] = [], group: [String] = ["X-Remote-Group"],
      extraPrefix: [String] = ["X-Remote-Extra-"]
    ) {
      self.user = user
      self.uid = uid
      self.group = group
      self.extraPrefix = extraPrefix
    }
  }

  private let tokens: [String: UserInfo]
  private let anonymous: UserInfo?
  private let allowedNames: Set<String>
  private let names: RequestHeaderNames

  /// - Parameters:
  ///   - tokens: bearer tokens and whom they stand for.
  ///   - anonymous: who a request without any credential is; nil refuses such requests.
  ///   - allowedNames: common names that the front proxy's certificate may have; empty for any of its CA (kubernetes-wire F1).
  package init(
    tokens: [String: UserInfo] = [:], anonymous: UserInfo? = StandardAuthenticator.anonymousUser, allowedNames: Set<String> = [],
    names: RequestHeaderNames = RequestHeaderNames()
  ) {
    self.tokens = tokens
    self.anonymous = anonymous
    self.allowedNames = allowedNames
    self.names = names
  }

  package static let anonymousUser = UserInfo(name: "system:anonymous", groups: ["system:unauthenticated"])

  package func authenticate(_ request: HTTPRequest) async throws(StatusError) -> UserInfo? {
    if let certificate = request.peer.certificate {
      if certificate.authorities.contains(.requestHeader) {
        guard allowedNames.isEmpty || allowedNames.contains(certificate.commonName) else { throw .unauthorized() }
        if let user = frontProxyUser(request.headers) { return user }
      }
      if certificate.authorities.contains(.client) {
        return UserInfo(name: certificate.commonName, groups: certificate.organizations)
      }
    }
    if let header = request.headers["Authorization"] {
      // A credential that is wrong is never anonymous.
      guard header.lowercased().hasPrefix("bearer "), let user = user(ofToken: String(header.dropFirst(7))) else { throw .unauthorized() }
      return user
    }
    return anonymous
  }

  private func user(ofToken given: String) -> UserInfo? {
    // Every token is compared in full, so that the time tells nothing.
    var found: UserInfo?
    let bytes = Array(given.utf8)
    for (token, user) in tokens {
      let expected = Array(token.utf8)
      var difference = expected.count ^ bytes.count
      for index in expected.indices where index < bytes.count { difference |= Int(expected[index] ^ bytes[index]) }
      if difference == 0 { found = user }
    }
    return found
  }

  /// kubernetes-wire F3, F4, F5: each header line is one value; extra keys are lower-cased, then percent-decoded.
  private func frontProxyUser(_ headers: HTTPHeaders) -> UserInfo? {
    func first(_ names: [String]) -> String? { names.lazy.flatMap { headers.all($0) }.first { !$0.isEmpty } }
    guard let name = first(names.user) else { return nil }
    var user = UserInfo(name: name, uid: first(names.uid) ?? "")
    user.groups = names.group.flatMap { headers.all($0) }.filter { !$0.isEmpty }
    for (header, value) in headers.lines {
      let lowered = header.lowercased()
      guard let prefix = names.extraPrefix.first(where: { lowered.hasPrefix($0.lowercased()) }) else { continue }
      let raw = String(lowered.dropFirst(prefix.count))
      user.extra[PercentEncoding.decoded(raw) ?? raw, default: []].append(value)
    }
    return user
  }
}
