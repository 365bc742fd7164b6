import JSON
import KubeClient
import KubeWire
import Logging
import Testing
import Translation

@testable import Admission

@Suite struct MatchingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var rule: JSONValue
    var matches: Bool
    var operation = AdmissionAttributes.Operation.create
    var subresource = ""
    var testDescription: String { "\(rule.text) \(operation) /\(subresource)" }
  }

  @Test(arguments: [
    Case(rule: [:], matches: true), Case(rule: ["operations": ["UPDATE", "DELETE"]], matches: false),
    Case(rule: ["operations": ["CREATE"]], matches: true), Case(rule: ["operations": ["DELETE"]], matches: true, operation: .delete),
    Case(rule: ["apiGroups": ["*"]], matches: true), Case(rule: ["apiGroups": ["apps"]], matches: false),
    Case(rule: ["apiVersions": ["v1alpha1"]], matches: true), Case(rule: ["apiVersions": ["v1"]], matches: false),
    Case(rule: ["resources": ["workflows"]], matches: true),
    Case(rule: ["resources": ["workflows"]], matches: false, subresource: "status"),
    Case(rule: ["resources": ["workflows/*"]], matches: true, subresource: "cancel"),
    Case(rule: ["resources": ["workflows/*"]], matches: true),
    Case(rule: ["resources": ["*/status"]], matches: true, subresource: "status"), Case(rule: ["resources": ["*/status"]], matches: false),
    Case(rule: ["resources": ["*"]], matches: true), Case(rule: ["resources": ["*"]], matches: false, subresource: "status"),
    Case(rule: ["resources": ["*/*"]], matches: true, subresource: "retry"), Case(rule: ["resources": ["pods"]], matches: false),
    Case(rule: ["scope": "Namespaced"], matches: true), Case(rule: ["scope": "Cluster"], matches: false),
    Case(rule: ["resourceNames": ["build"]], matches: true), Case(rule: ["resourceNames": ["other"]], matches: false),
  ]) func rules(_ test: Case) {
    let rule = OperationRule(everyWrite.merging(patch: test.rule))
    #expect(rule.matches(aWrite(test.operation, subresource: test.subresource), APIGroup()) == test.matches)
  }

  @Test(
    arguments: [
      ([:], true), (["matchLabels": ["app": "ci"]], true), (["matchLabels": ["app": "x"]], false),
      (["matchExpressions": [["key": "app", "operator": "In", "values": ["ci", "cd"]]]], true),
      (["matchExpressions": [["key": "app", "operator": "NotIn", "values": ["ci"]]]], false),
      (["matchExpressions": [["key": "none", "operator": "NotIn", "values": ["ci"]]]], true),
      (["matchExpressions": [["key": "app", "operator": "Exists"]]], true),
      (["matchExpressions": [["key": "app", "operator": "DoesNotExist"]]], false),
      (["matchLabels": ["app": "ci"], "matchExpressions": [["key": "none", "operator": "Exists"]]], false),
    ] as [(JSONValue, Bool)]) func selectors(_ json: JSONValue, _ matches: Bool) throws
  {
    #expect(try ObjectSelector(json).matches(["app": "ci"]) == matches)
  }

  @Test func aSelectorThatNobodyCanReadIsAnError() {
    let selector = ObjectSelector(["matchExpressions": [["key": "app", "operator": "Near"]]])
    #expect(!selector.isEverything)
    #expect(throws: StatusError.self) { try selector.matches([:]) }
  }

  private func matches(_ matcher: Matcher, _ attributes: AdmissionAttributes, cluster: FakeCluster = FakeCluster()) async throws -> Bool {
    let namespaces = ClusterNamespaces(
      api: cluster, clock: StandingClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return try await matcher.matches(Write(attributes: attributes, group: APIGroup(), namespaces: namespaces))
  }

  @Test func theOldObjectCountsForTheSelectorToo() async throws {
    let matcher = Matcher(webhook: webhook("a", ["objectSelector": ["matchLabels": ["team": "core"]]]))
    let labelled = workflow("build", labels: ["team": "core"])
    #expect(try await matches(matcher, aWrite()) == false)
    #expect(try await matches(matcher, aWrite(object: labelled)))
    #expect(try await matches(matcher, aWrite(.update, old: labelled)))
    #expect(try await matches(matcher, aWrite(.delete, old: labelled)))
    #expect(try await matches(matcher, aWrite(.delete)) == false)
  }

  @Test func theNamespaceIsAskedForItsLabels() async throws {
    let prod = Matcher(webhook: webhook("a", ["namespaceSelector": ["matchLabels": ["env": "prod"]]]))
    let test = Matcher(webhook: webhook("a", ["namespaceSelector": ["matchLabels": ["env": "test"]]]))
    #expect(try await matches(prod, aWrite()))
    #expect(try await matches(test, aWrite()) == false)
    let missing = await refusal { _ = try await matches(prod, aWrite(namespace: "nope")) }
    #expect(missing?.status.message == "namespaces \"nope\" not found")
  }

  /// A namespace that cannot be read is nothing to a webhook that does not apply.
  @Test func whatDoesNotApplyDoesNotFail() async throws {
    let cluster = FakeCluster()
    cluster.fail("/api/v1/namespaces/team", .unreachable("no route"))
    let selecting: JSONValue = ["namespaceSelector": ["matchLabels": ["env": "prod"]]]
    let pods = Matcher(webhook: webhook("a", selecting.merging(patch: ["rules": [["operations": ["*"], "resources": ["pods"]]]])))
    #expect(try await matches(pods, aWrite(), cluster: cluster) == false)
    let ours = Matcher(webhook: webhook("a", selecting))
    let refused = await refusal { _ = try await matches(ours, aWrite(), cluster: cluster) }
    #expect(refused?.code == 503 && refused?.retryAfter == 1)
  }

  @Test func policiesExcludeAndMatchAllWithoutRules() async throws {
    #expect(try await matches(Matcher(resources: [:]), aWrite()))
    #expect(try await matches(Matcher(webhook: webhook("a", ["rules": []])), aWrite()) == false)
    let excluding = Matcher(resources: [
      "resourceRules": [everyWrite], "excludeResourceRules": [everyWrite.merging(patch: ["operations": ["DELETE"]])],
    ])
    #expect(try await matches(excluding, aWrite()))
    #expect(try await matches(excluding, aWrite(.delete)) == false)
  }
}
