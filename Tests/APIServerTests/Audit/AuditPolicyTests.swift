import KubeWire
import Testing
import Translation

@testable import APIServer

@Suite struct AuditPolicyTests {
  private static func read(_ rules: String, head: String = "") throws -> AuditPolicy {
    let text = "apiVersion: audit.k8s.io/v1\nkind: Policy\n\(head)rules:\n\(rules)"
    return try AuditPolicyReader.read(Array(text.utf8), file: "policy.yaml")
  }

  private static func info(_ method: String, _ path: String, query: QueryParameters = [:]) -> RequestInfo {
    RequestInfo(method: method, path: path.hasPrefix("/") ? path : "/apis/workflow.example.com/v1alpha1/\(path)", query: query)!
  }

  private static let jane = UserInfo(name: "jane", groups: ["devs", "system:authenticated"])
  private static let one = "namespaces/ci/workflows/a"

  /// A rule that asks for Metadata, and whether it takes a request.
  struct Case: Sendable, CustomTestStringConvertible {
    var rule: String
    var method = "GET"
    var path = AuditPolicyTests.one
    var query: QueryParameters = [:]
    var user: UserInfo? = AuditPolicyTests.jane
    var matches: Bool
    var testDescription: String { "\(rule) \(method) \(path) \(matches)" }
  }

  static let cases: [Case] = [
    Case(rule: "", matches: true),
    Case(rule: "users: [jane]", matches: true), Case(rule: "users: [bob]", matches: false),
    Case(rule: "users: [jane]", user: nil, matches: false),
    Case(rule: "userGroups: [ops, devs]", matches: true), Case(rule: "userGroups: [ops]", matches: false),
    Case(rule: "userGroups: [devs]", user: nil, matches: false),
    Case(rule: "users: [jane]\n  userGroups: [ops]", matches: false),
    Case(rule: "verbs: [get]", matches: true), Case(rule: "verbs: [list, watch]", matches: false),
    Case(rule: "verbs: [watch]", path: "workflows", query: ["watch": "1"], matches: true),
    Case(rule: "verbs: [deletecollection]", method: "DELETE", path: "namespaces/ci/workflows", matches: true),
    Case(rule: "namespaces: [ci]", matches: true), Case(rule: "namespaces: [other]", matches: false),
    Case(rule: "namespaces: [\"\"]", path: "workflows", matches: true), Case(rule: "namespaces: [\"\"]", matches: false),
    Case(rule: "namespaces: [\"\"]", path: "/version", matches: false),
    Case(rule: "resources: [{group: workflow.example.com}]", matches: true),
    Case(rule: "resources: [{group: workflow.example.com}]", path: one + "/log", matches: true),
    Case(rule: "resources: [{group: \"\"}]", matches: false), Case(rule: "resources: [{group: \"*\"}]", matches: true),
    Case(rule: "resources: [{group: \"*\"}]", path: "/version", matches: false),
    Case(rule: "resources: [{group: workflow.example.com, resources: [workflows]}]", matches: true),
    Case(rule: "resources: [{group: workflow.example.com, resources: [workflows]}]", path: one + "/log", matches: false),
    Case(rule: "resources: [{group: workflow.example.com, resources: [workflows/log]}]", path: one + "/log", matches: true),
    Case(rule: "resources: [{group: workflow.example.com, resources: [workflows/log]}]", matches: false),
    Case(rule: "resources: [{group: workflow.example.com, resources: [workflows/*]}]", path: one + "/log", matches: true),
    Case(rule: "resources: [{group: workflow.example.com, resources: [workflowtemplates/*]}]", path: one + "/log", matches: false),
    Case(rule: "resources: [{group: workflow.example.com, resources: [\"*/status\"]}]", path: one + "/status", matches: true),
    Case(rule: "resources: [{group: workflow.example.com, resources: [\"*/status\"]}]", path: one + "/log", matches: false),
    Case(rule: "resources: [{group: workflow.example.com, resources: [\"*/status\"]}]", matches: false),
    Case(rule: "resources: [{group: workflow.example.com, resources: [\"*\"]}]", path: one + "/log", matches: true),
    Case(rule: "resources: [{group: workflow.example.com, resources: [workflows], resourceNames: [a]}]", matches: true),
    Case(rule: "resources: [{group: workflow.example.com, resources: [workflows], resourceNames: [b]}]", matches: false),
    Case(
      rule: "resources: [{group: workflow.example.com, resources: [workflows], resourceNames: [b]}, {group: \"*\"}]", matches: true),
    Case(rule: "nonResourceURLs: [/version]", path: "/version", matches: true), Case(rule: "nonResourceURLs: [/version]", matches: false),
    Case(rule: "nonResourceURLs: [/healthz*]", path: "/healthz/ping", matches: true),
    Case(rule: "nonResourceURLs: [/healthz*]", path: "/readyz", matches: false),
    Case(rule: "nonResourceURLs: [\"*\"]", path: "/readyz", matches: true), Case(rule: "nonResourceURLs: [\"*\"]", matches: false),
  ]

  @Test("what a rule takes", arguments: cases) func matching(_ example: Case) throws {
    let policy = try Self.read("- level: Metadata\n" + (example.rule.isEmpty ? "" : "  \(example.rule)\n"))
    let decision = policy.decision(example.user, Self.info(example.method, example.path, query: example.query))
    #expect(decision.level == (example.matches ? .metadata : .none))
  }

  @Test("the first rule that matches decides, what none matches is not audited") func order() throws {
    let policy = try Self.read(
      """
      - level: None
        users: [system:probe]
      - level: RequestResponse
        verbs: [create]
        omitStages: [ResponseStarted]
        omitManagedFields: false
      - level: Metadata
        resources: [{group: workflow.example.com}]
      """, head: "omitStages: [RequestReceived]\nomitManagedFields: true\n")
    let probe = UserInfo(name: "system:probe")
    let create = Self.info("POST", "namespaces/ci/workflows")
    #expect(policy.decision(probe, create).level == .none)
    let decision = policy.decision(Self.jane, create)
    #expect(
      decision.level == .requestResponse && decision.omitStages == [.requestReceived, .responseStarted] && !decision.omitManagedFields)
    let get = policy.decision(Self.jane, Self.info("GET", Self.one))
    #expect(get.level == .metadata && get.omitStages == [.requestReceived] && get.omitManagedFields)
    #expect(policy.decision(Self.jane, Self.info("GET", "/version")).level == .none)
  }

  @Test("without a policy: changes, one event each, no bodies") func changes() {
    for (method, path) in [
      ("POST", "namespaces/ci/workflows"), ("PUT", Self.one), ("PATCH", Self.one), ("DELETE", Self.one),
      ("DELETE", "namespaces/ci/workflows"),
      ("POST", Self.one + "/cancel"),
    ] {
      let decision = AuditPolicy.changes.decision(Self.jane, Self.info(method, path))
      #expect(decision.level == .metadata && decision.omitStages == [.requestReceived])
    }
    #expect(AuditPolicy.changes.decision(Self.jane, Self.info("GET", Self.one)).level == .none)
    #expect(AuditPolicy.changes.decision(Self.jane, Self.info("POST", "/version")).level == .none)
  }

  @Test("everything that is wrong is told at once, each with file, line and field") func problems() {
    let text = """
      apiVersion: audit.k8s.io/v1beta1
      kind: Policy
      omitStages:
      - RequestReceived
      - Sometimes
      rule: []
      rules:
      - level: Metadata
        user: [jane]
      - users: jane
      - level: Everything
        verbs: [1]
      - level: Request
        nonResourceURLs: [version, "/a*b", "*"]
        namespaces: [ci]
      - level: Metadata
        omitManagedFields: "yes"
        resources:
        - group: apps/v1
        - resourceNames: [a]
        - group: ""
          resource: [pods]
      """
    let failure = #expect(throws: AuditPolicyReader.Failure.self) { try AuditPolicyReader.read(Array(text.utf8), file: "p.yaml") }
    #expect(
      failure?.problems == [
        "p.yaml:6: rule: unknown field; known are apiVersion, kind, metadata, rules, omitStages, omitManagedFields",
        #"p.yaml:1: apiVersion: Unsupported value: "audit.k8s.io/v1beta1": supported values: "audit.k8s.io/v1""#,
        "p.yaml:9: rules[0].user: unknown field; known are level, users, userGroups, verbs, resources, namespaces, nonResourceURLs, omitStages, omitManagedFields",
        "p.yaml:10: rules[1].level: Required value", "p.yaml:10: rules[1].users: must be a list",
        #"p.yaml:11: rules[2].level: Unsupported value: "Everything": supported values: "None", "Metadata", "Request", "RequestResponse""#,
        "p.yaml:12: rules[2].verbs[0]: must be a text; put it in quotes",
        #"p.yaml:14: rules[3].nonResourceURLs[0]: Invalid value: "version": non-resource URL rules must begin with a '/' character"#,
        #"p.yaml:14: rules[3].nonResourceURLs[1]: Invalid value: "/a*b": non-resource URL wildcards '*' must be the final character of the rule"#,
        "p.yaml:14: rules[3].nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs",
        "p.yaml:17: rules[4].omitManagedFields: must be true or false",
        #"p.yaml:19: rules[4].resources[0].group: Invalid value: "apps/v1": must be an API group without a version, a DNS subdomain"#,
        "p.yaml:20: rules[4].resources[1].resourceNames: using resourceNames requires at least one resource",
        "p.yaml:22: rules[4].resources[2].resource: unknown field; known are group, resources, resourceNames",
        #"p.yaml:5: omitStages[1]: Unsupported value: "Sometimes": supported values: "RequestReceived", "ResponseStarted", "ResponseComplete", "Panic""#,
      ])
  }

  @Test(
    "what is no policy at all",
    arguments: [
      ("", "p.yaml: must be an object of kind Policy"), ("- a\n", "p.yaml:1: must be an object of kind Policy"),
      ("a: [\n", "p.yaml: line 2"), ("kind: Policy\napiVersion: audit.k8s.io/v1\n", "p.yaml:1: rules: Required value"),
      ("kind: Policy\napiVersion: audit.k8s.io/v1\nrules: []\n", "p.yaml:3: rules: Required value"),
      ("kind: Pod\napiVersion: audit.k8s.io/v1\nrules: [{level: None}]\n", #"p.yaml:1: kind: Unsupported value: "Pod""#),
    ])
  func noPolicy(_ text: String, _ start: String) {
    let failure = #expect(throws: AuditPolicyReader.Failure.self) { try AuditPolicyReader.read(Array(text.utf8), file: "p.yaml") }
    #expect(failure?.problems.count == 1 && failure?.problems.first?.hasPrefix(start) == true, "\(failure?.description ?? "")")
  }

  @Test("JSON is a policy, too") func json() throws {
    let text = #"{"apiVersion":"audit.k8s.io/v1","kind":"Policy","metadata":{"name":"x"},"rules":[{"level":"Metadata"}]}"#
    #expect(try AuditPolicyReader.read(Array(text.utf8), file: "p").rules == [AuditPolicy.Rule(.metadata)])
  }
}
