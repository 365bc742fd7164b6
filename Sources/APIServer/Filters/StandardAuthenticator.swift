package import HTTPMessage
package import KubeWire
package import Translation

/// Front proxy, client certificate, bearer token, then anonymous: in Kubernetes' order (kubernetes-wire A1). A credential that is wrong is
/// never anonymous, but another one beside it may still be right.
package struct StandardAuthenticator: Authenticator {
  private let tokens: (any TokenAuthenticator)?
  private let anonymous: UserInfo?
  private let rules: RequestHeaderRules

  /// - Parameters:
  ///   - tokens: nil when no bearer token is any good.
  ///   - anonymous: who a request without any credential is; nil refuses such requests.
  ///   - rules: for certificates of a requestheader CA that has none of its own.
  package init(
    tokens: (any TokenAuthenticator)?, anonymous: UserInfo? = StandardAuthenticator.anonymousUser,
    rules: RequestHeaderRules = RequestHeaderRules()
  ) {
    self.tokens = tokens
    self.anonymous = anonymous
    self.rules = rules
  }

  /// With tokens that are known beforehand.
  package init(
    tokens: [String: UserInfo] = [:], anonymous: UserInfo? = StandardAuthenticator.anonymousUser,
    rules: RequestHeaderRules = RequestHeaderRules()
  ) {
    self.init(tokens: StaticTokens(tokens: tokens), anonymous: anonymous, rules: rules)
  }

  package static let anonymousUser = UserInfo(name: "system:anonymous", groups: ["system:unauthenticated"])

  package func authenticate(_ request: HTTPRequest) async throws(StatusError) -> UserInfo? {
    var isWrong = request.peer.hasUnknownCertificate
    if let certificate = request.peer.certificate {
      if certificate.authorities.contains(.requestHeader) {
        let rules = certificate.requestHeaderRules ?? self.rules
        // A certificate without a name is not one of the names, though the list may hold an empty text.
        let isNamed = !certificate.commonName.isEmpty && rules.allowedNames.contains(certificate.commonName)
        if rules.allowedNames.isEmpty || isNamed {
          if let user = Self.frontProxyUser(request.headers, rules) { return user }
        }
      }
      if certificate.authorities.contains(.client), !certificate.commonName.isEmpty {
        return UserInfo(name: certificate.commonName, groups: certificate.organizations)
      }
      isWrong = true
    }
    if let header = request.headers["Authorization"] {
      guard let token = Self.bearerToken(header), let user = try await tokens?.user(ofToken: token) else { throw .unauthorized() }
      return user
    }
    guard !isWrong else { throw .unauthorized() }
    return anonymous
  }

  /// Several times what any token is long: more is not sent on to be asked about.
  private static let maximumToken = 64 << 10

  /// nil for another scheme, for none after the word, and for what is too long to be a token.
  private static func bearerToken(_ header: String) -> String? {
    let words = header.split(separator: " ", maxSplits: 2)
    guard words.count >= 2, words[0].lowercased() == "bearer", words[1].utf8.count <= maximumToken else { return nil }
    return String(words[1])
  }

  /// kubernetes-wire F3, F4, F5: each header line is one value; extra keys are lower-cased, then percent-decoded.
  private static func frontProxyUser(_ headers: HTTPHeaders, _ rules: RequestHeaderRules) -> UserInfo? {
    func first(_ names: [String]) -> String? { names.lazy.flatMap { headers.all($0) }.first { !$0.isEmpty } }
    guard let name = first(rules.user) else { return nil }
    var user = UserInfo(name: name, uid: first(rules.uid) ?? "")
    user.groups = rules.group.flatMap { headers.all($0) }.filter { !$0.isEmpty }
    for (header, value) in headers.lines {
      let lowered = header.lowercased()
      guard let prefix = rules.extraPrefix.first(where: { !$0.isEmpty && lowered.hasPrefix($0.lowercased()) }) else { continue }
      let raw = String(lowered.dropFirst(prefix.count))
      user.extra[PercentEncoding.decoded(raw) ?? raw, default: []].append(value)
    }
    return user
  }
}
