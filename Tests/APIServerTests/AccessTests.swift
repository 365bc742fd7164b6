import HTTPMessage
import KubeWire
import Testing
import Translation

@testable import APIServer

@Suite struct AccessTests {
  private struct Denying: Authorizer {
    func authorize(_ attributes: AuthorizationAttributes) async throws(StatusError) -> AuthorizationDecision { .denied(reason: "no rule") }
  }

  private func request(_ headers: [(name: String, value: String)], certificate: ClientCertificate? = nil) -> HTTPRequest {
    HTTPRequest(method: "GET", path: "/", headers: HTTPHeaders(headers), peer: HTTPPeer(certificate: certificate))
  }
  private func certificate(_ authorities: ClientCertificate.Authorities, _ name: String = "front-proxy-client") -> ClientCertificate {
    ClientCertificate(authorities: authorities, commonName: name, organizations: ["devs"], fingerprint: "")
  }
  private let remote: [(name: String, value: String)] = [
    ("X-Remote-User", "bob"), ("x-remote-group", "g 1,x"), ("X-Remote-Group", "h"), ("X-Remote-Group", ""),
    ("X-Remote-Extra-A.b%2fC", "v1"), ("x-remote-extra-a.b%2Fc", "v2"),
  ]

  @Test("F1, F3, F4: the front proxy's headers, value by value") func frontProxy() async throws {
    let user = try await StandardAuthenticator().authenticate(request(remote, certificate: certificate(.requestHeader)))
    #expect(user?.name == "bob" && user?.groups == ["g 1,x", "h"] && user?.extra == ["a.b/c": ["v1", "v2"]] && user?.uid == "")
  }

  @Test("F1: from anybody else they are nothing; another name of the right CA is 401") func smuggled() async throws {
    let authenticator = StandardAuthenticator(rules: RequestHeaderRules(allowedNames: ["front-proxy-client"]))
    #expect(try await authenticator.authenticate(request(remote))?.name == "system:anonymous")
    let client = try await authenticator.authenticate(request(remote, certificate: certificate(.client, "jane")))
    #expect(client?.name == "jane" && client?.groups == ["devs"])
    await #expect(throws: StatusError.self) {
      try await authenticator.authenticate(request(remote, certificate: certificate(.requestHeader, "mallory")))
    }
  }

  @Test("A1: a wrong token is 401, never anonymous") func tokens() async throws {
    let authenticator = StandardAuthenticator(tokens: ["s3cret": UserInfo(name: "ci")])
    #expect(try await authenticator.authenticate(request([("Authorization", "Bearer s3cret")]))?.name == "ci")
    let error = await #expect(throws: StatusError.self) {
      try await authenticator.authenticate(request([("Authorization", "Bearer s3cre")]))
    }
    #expect(error?.status.code == 401 && error?.status.message == "Unauthorized")
  }

  @Test("F13: the rules that came with the certificate's CA count, not those of the flags") func rulesOfTheCA() async throws {
    let authenticator = StandardAuthenticator(rules: RequestHeaderRules(allowedNames: ["front-proxy-client"]))
    func proxy(_ rules: RequestHeaderRules?) -> ClientCertificate {
      var certificate = certificate(.requestHeader)
      certificate.requestHeaderRules = rules
      return certificate
    }
    #expect(try await authenticator.authenticate(request(remote, certificate: proxy(nil))) != nil)
    await #expect(throws: StatusError.unauthorized()) {
      try await authenticator.authenticate(request(remote, certificate: proxy(RequestHeaderRules(allowedNames: ["another"]))))
    }
    let own = RequestHeaderRules(user: ["X-Who"], allowedNames: ["front-proxy-client"])
    let who = try await authenticator.authenticate(request([(name: "X-Who", value: "jane")], certificate: proxy(own)))
    #expect(who?.name == "jane")
  }

  @Test("F1: a certificate that is wrong is 401 unless another credential is right") func wrongCertificates() async throws {
    let rules = RequestHeaderRules(allowedNames: ["front-proxy-client"])
    let authenticator = StandardAuthenticator(tokens: ["s3cret": UserInfo(name: "ci")], rules: rules)
    let bearer = [(name: "Authorization", value: "Bearer s3cret")]
    let mallory = certificate(.requestHeader, "mallory")
    #expect(try await authenticator.authenticate(request(remote + bearer, certificate: mallory))?.name == "ci")
    let both = certificate([.requestHeader, .client], "jane")
    #expect(try await authenticator.authenticate(request(remote, certificate: both))?.name == "jane")

    var unknown = request([])
    unknown.peer.hasUnknownCertificate = true
    await #expect(throws: StatusError.unauthorized()) { try await authenticator.authenticate(unknown) }
    unknown.headers = HTTPHeaders(bearer)
    #expect(try await authenticator.authenticate(unknown)?.name == "ci")
    // The front proxy without a user is nobody.
    await #expect(throws: StatusError.unauthorized()) {
      try await authenticator.authenticate(request([], certificate: certificate(.requestHeader)))
    }
  }

  @Test("F5, F14: header names as configured; the uid only where it is") func headerNames() async throws {
    let rules = RequestHeaderRules(
      user: ["X-A-User", "X-B-User"], uid: ["X-Uid"], group: ["X-A-Group", "X-B-Group"], extraPrefix: ["X-A-", "X-B-Extra-"])
    let headers = [
      (name: "X-A-User", value: ""), (name: "X-B-User", value: "bob"), (name: "X-Uid", value: "u-1"), (name: "X-B-Group", value: "b"),
      (name: "X-A-Group", value: "a"), (name: "X-B-Extra-K%zz", value: "v"),
    ]
    let user = try await StandardAuthenticator(rules: rules).authenticate(request(headers, certificate: certificate(.requestHeader)))
    #expect(user?.name == "bob" && user?.uid == "u-1" && user?.groups == ["a", "b"] && user?.extra["k%zz"] == ["v"])
  }

  @Test("F5: an empty prefix takes no header; an empty allowed name allows no certificate") func emptyNames() async throws {
    let headers = remote + [(name: "Cookie", value: "secret")]
    let empty = RequestHeaderRules(extraPrefix: ["", "X-Remote-Extra-"])
    let user = try await StandardAuthenticator(rules: empty).authenticate(request(headers, certificate: certificate(.requestHeader)))
    #expect(user != nil && user?.extra["cookie"] == nil && user?.extra["x-remote-user"] == nil)
    let nameless = StandardAuthenticator(rules: RequestHeaderRules(allowedNames: [""]))
    await #expect(throws: StatusError.unauthorized()) {
      try await nameless.authenticate(request(remote, certificate: certificate(.requestHeader, "")))
    }
  }

  @Test("Anonymous can be turned off; other schemes than Bearer are 401") func noAnonymous() async throws {
    #expect(try await StandardAuthenticator(anonymous: nil).authenticate(request([])) == nil)
    for value in ["Basic YTpi", "Bearer", "Bearer ", ""] {
      await #expect(throws: StatusError.unauthorized()) {
        try await StandardAuthenticator().authenticate(request([("Authorization", value)]))
      }
    }
  }

  @Test("A7: paths that need no permission, for paths only") func openPaths() async throws {
    let access = Access(authenticator: StandardAuthenticator(), authorizer: Denying(), alwaysAllowPaths: ["/open", "/docs/*"])
    for (path, isOpen) in [("/open", true), ("/open/x", false), ("/docs/a/b", true), ("/healthz", false)] {
      let info = RequestInfo(method: "GET", path: path, query: [:])!
      let allowed = (try? await access.authorize(UserInfo(name: "x"), info)) != nil
      #expect(allowed == isOpen, "\(path)")
    }
  }

  @Test("A6: authenticated users are in system:authenticated, anonymous ones are not") func groups() async throws {
    let access = Access(authenticator: StandardAuthenticator(), authorizer: AlwaysAllow())
    #expect(try await access.user(of: request(remote, certificate: certificate(.requestHeader))).groups.last == "system:authenticated")
    #expect(try await access.user(of: request([])).groups == ["system:unauthenticated"])
  }

  @Test("F7: impersonation is refused, not ignored") func impersonation() async {
    let access = Access(authenticator: StandardAuthenticator(), authorizer: AlwaysAllow())
    for header in ["Impersonate-User", "impersonate-group", "Impersonate-Extra-x"] {
      let error = #expect(throws: StatusError.self) {
        try access.refuseImpersonation(request([(header, "root")]), by: UserInfo(name: "jane"))
      }
      #expect(error?.status.code == 403)
    }
  }

  @Test("E1, A7: denials in Kubernetes' words; health and masters pass") func denials() async throws {
    let access = Access(authenticator: StandardAuthenticator(), authorizer: Denying())
    func denial(_ path: String) async -> String? {
      let info = RequestInfo(method: "GET", path: path, query: [:])!
      return await #expect(throws: StatusError.self) { try await access.authorize(UserInfo(name: "jane"), info) }?.status.message
    }
    #expect(
      await denial("/apis/workflow.example.com/v1alpha1/namespaces/default/workflows/x/status")
        == #"workflows.workflow.example.com "x" is forbidden: User "jane" cannot get resource "workflows/status" in API group "workflow.example.com" in the namespace "default": no rule"#
    )
    #expect(
      await denial("/apis/workflow.example.com/v1alpha1/workflows")
        == #"workflows.workflow.example.com is forbidden: User "jane" cannot list resource "workflows" in API group "workflow.example.com" at the cluster scope: no rule"#
    )
    #expect(await denial("/foo") == #"forbidden: User "jane" cannot get path "/foo": no rule"#)
    let foo = RequestInfo(method: "GET", path: "/foo", query: [:])!
    try await access.authorize(UserInfo(name: "root", groups: ["system:masters"]), foo)
    try await access.authorize(UserInfo(name: "x"), RequestInfo(method: "GET", path: "/readyz", query: [:])!)
  }
}
