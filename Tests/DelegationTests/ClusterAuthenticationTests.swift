import Certificates
import HTTPMessage
import JSON
import KubeClient
import KubeWire
import OrderedCollections
import Synchronization
import Testing

@testable import Delegation

@Suite(.timeLimit(.minutes(10)))
struct ClusterAuthenticationTests {
  private func pem(_ name: String) throws -> String { try CertificateAuthority.makeSelfSigned(commonName: name).certificatePEM }

  private func content(_ data: JSONObject, last: ClusterAuthentication.Content? = nil) -> (ClusterAuthentication.Content?, [String]) {
    var problems: [String] = []
    let content = ClusterAuthentication.content(data, last: last, problems: &problems)
    return (content, problems)
  }

  @Test("§2.1: every key of the ConfigMap; F14: no uid header unless it says so") func keys() throws {
    let (users, proxy) = (try pem("users"), try pem("proxy"))
    let (full, problems) = content([
      "client-ca-file": .string(users), "requestheader-client-ca-file": .string(proxy),
      "requestheader-allowed-names": .string(#"["front-proxy-client","aggregator"]"#),
      "requestheader-username-headers": .string(#"["X-A","X-B",""]"#), "requestheader-uid-headers": .string(#"["X-Remote-Uid"]"#),
      "requestheader-group-headers": .string(#"["","X-G"]"#), "requestheader-extra-headers-prefix": .string(#"[""," ","X-E-"]"#),
    ])
    #expect(
      full
        == .init(
          clientCA: users, requestHeaderCA: proxy,
          rules: RequestHeaderRules(
            user: ["X-A", "X-B"], uid: ["X-Remote-Uid"], group: ["X-G"], extraPrefix: ["X-E-"],
            allowedNames: ["front-proxy-client", "aggregator"])))
    #expect(problems.isEmpty)
    #expect(content([:]).0 == .init())
    #expect(content(["requestheader-allowed-names": .string("[]")]).0?.rules.allowedNames == [])
    #expect(content(["requestheader-extra-headers-prefix": .string(#"[""]"#)]).0?.rules.extraPrefix == [])
  }

  @Test(
    "F13: what is malformed says where, and what it is",
    arguments: [
      ("client-ca-file", "no certificate", "client-ca-file: "),
      ("requestheader-client-ca-file", "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n", "requestheader-client-ca-file: "),
      ("requestheader-allowed-names", "front-proxy-client", "requestheader-allowed-names is not a JSON array of texts"),
      ("requestheader-group-headers", "[1]", "requestheader-group-headers is not a JSON array of texts"),
    ]) func malformed(key: String, value: String, text: String)
  {
    let (content, problems) = content([key: .string(value)])
    #expect(content == nil)
    #expect(problems.count == 1 && problems[0].hasPrefix(text), "\(problems)")
  }

  @Test("F13: at the first look, what is malformed of one CA does not keep the other out; a front proxy without its names is none")
  func firstLook() throws {
    let (users, proxy) = (try pem("users"), try pem("proxy"))
    let named = #"["front-proxy-client"]"#
    for (data, expected): (JSONObject, ClusterAuthentication.Content?) in [
      (
        [
          "client-ca-file": .string("broken"), "requestheader-client-ca-file": .string(proxy),
          "requestheader-allowed-names": .string(named),
        ],
        .init(requestHeaderCA: proxy, rules: RequestHeaderRules(allowedNames: ["front-proxy-client"]))
      ),
      (["client-ca-file": .string(users), "requestheader-client-ca-file": .string("broken")], .init(clientCA: users)),
      (
        [
          "client-ca-file": .string(users), "requestheader-client-ca-file": .string(proxy),
          "requestheader-allowed-names": .string("broken"),
        ],
        .init(clientCA: users)
      ),
      (
        [
          "client-ca-file": .string("broken"), "requestheader-client-ca-file": .string(proxy),
          "requestheader-allowed-names": .string("broken"),
        ], nil
      ),
    ] {
      let (content, problems) = content(data)
      #expect(content == expected)
      #expect(!problems.isEmpty)
    }
    // Neither is one that comes later.
    let later = content(
      ["client-ca-file": .string(users), "requestheader-client-ca-file": .string(proxy), "requestheader-allowed-names": .string("broken")],
      last: .init(clientCA: users))
    #expect(later.0 == .init(clientCA: users))
  }

  @Test("F13: each CA that vanishes or is malformed stays as it was, the front proxy's with its names; the other goes on")
  func eachKeyKeepsItsLast() throws {
    let (users, proxy, newUsers, newProxy) = (try pem("users"), try pem("proxy"), try pem("new-users"), try pem("new-proxy"))
    let last = ClusterAuthentication.Content(
      clientCA: users, requestHeaderCA: proxy, rules: RequestHeaderRules(allowedNames: ["front-proxy-client"]))
    #expect(content([:], last: last).0 == last)
    var expected = last
    expected.clientCA = newUsers
    for bad: JSONObject in [
      ["client-ca-file": .string(newUsers)],
      ["client-ca-file": .string(newUsers), "requestheader-client-ca-file": .string("")],
      [
        "client-ca-file": .string(newUsers), "requestheader-client-ca-file": .string("broken"),
        "requestheader-allowed-names": .string("[]"),
      ],
    ] {
      let (kept, problems) = content(bad, last: last)
      #expect(kept == expected)
      #expect(problems.count == 1 && problems[0].hasPrefix("requestheader-client-ca-file"), "\(problems)")
    }
    let (rotated, problems) = content(
      ["requestheader-client-ca-file": .string(newProxy), "requestheader-allowed-names": .string("broken")], last: last)
    #expect(rotated == .init(clientCA: users, requestHeaderCA: newProxy, rules: last.rules))
    #expect(problems.count == 2)
  }

  @Test("F13: rotation counts; what is malformed or vanishes leaves the last good content") func rotation() async throws {
    let (first, second) = (try pem("first"), try pem("second"))
    let object = Mutex<[String: String]?>(["client-ca-file": first])
    let cluster = FakeCluster { request in
      #expect(request.path == "/api/v1/namespaces/kube-system/configmaps")
      #expect(request.query.first?.value == "metadata.name=extension-apiserver-authentication")
      let data = object.withLock { $0 }
      let items: [JSONValue] =
        data.map { data in
          var members = JSONObject()
          for (key, value) in data { members[key] = .string(value) }
          return [.object(["metadata": .object(["name": .string(ClusterAuthentication.name)]), "data": .object(members)])]
        } ?? []
      return .object(["metadata": .object(["resourceVersion": .string("1")]), "items": .array(items)])
    }
    let changes = Mutex<[String?]>([])
    let authentication = ClusterAuthentication(cluster, logger: quiet) { content in changes.withLock { $0.append(content.clientCA) } }
    #expect(authentication.content == nil)
    try await authentication.load()
    try await authentication.load()
    object.withLock { $0 = ["client-ca-file": "broken"] }
    try await authentication.load()
    object.withLock { $0 = nil }
    try await authentication.load()
    #expect(authentication.content?.clientCA == first)
    object.withLock { $0 = ["client-ca-file": second] }
    try await authentication.load()
    #expect(changes.withLock { $0 } == [first, second])
  }
}
