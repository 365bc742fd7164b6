import Configuration
import JSON
import Testing

@Suite struct GatewayConfigurationTests {
  private func problems(_ yaml: String) -> [String] {
    do {
      _ = try GatewayConfiguration(yaml: yaml, file: "gateway.yaml")
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  @Test func readsEverything() throws {
    let configuration = try GatewayConfiguration(
      yaml: """
        group: ci.example.org
        envelopeSigningKeyFiles: [/keys/new, /keys/old]
        backends:
        - name: ci
          adapter: airflow
          url: https://airflow.example.com/
          settings: {pageSize: 50}
          credentials:
            username: {file: /etc/user}
            password: {env: AIRFLOW_PASSWORD}
          transport: {caFile: /etc/ca.pem, proxy: "http://proxy:3128"}
          budget: {requestsPerSecond: 2.5, maxConcurrentRequests: 3}
        bindings:
        - backend: ci
          namespace: team-a
          scope: {tags: [a]}
          access: Manage
          deletionPolicy: Retain
          inlineSteps: true
          requireUseVerb: true
          poll: {interval: 1s, sweepInterval: 10m}
          window: {maxAge: 48h}
        - {backend: ci, namespace: team-b, name: b, scope: {tags: [b]}, access: Observe, disabled: true}
        """, file: "gateway.yaml")
    #expect(configuration.group == "ci.example.org")
    #expect(configuration.envelopeSigningKeyFiles == ["/keys/new", "/keys/old"])
    let backend = configuration.backends[0]
    #expect(backend.url == "https://airflow.example.com")
    #expect(backend.settings == ["pageSize": 50])
    #expect(backend.credentials == ["username": .file("/etc/user"), "password": .environment("AIRFLOW_PASSWORD")])
    #expect(backend.transport.proxy == "http://proxy:3128")
    #expect(backend.budget.requestsPerSecond == 2.5)
    let binding = configuration.bindings[0]
    #expect(binding.name == "ci.team-a")
    #expect(binding.access == .manage)
    #expect(binding.deletionPolicy == .retain)
    #expect(binding.inlineSteps == true)
    #expect(binding.requireUseVerb && !configuration.bindings[1].requireUseVerb)
    #expect(binding.poll.interval == .seconds(1))
    #expect(binding.window.maxAge == .seconds(48 * 3600))
    #expect(configuration.bindings[1].disabled)
  }

  @Test func tellsEverythingThatIsWrongAtOnceWithItsLine() {
    let found = problems(
      """
      backends:
      - name: ci
        adapter: airflow
        url: airflow.example.com
        credentials:
          password: hunter2
        colour: red
      bindings:
      - backend: cj
        namespace: Team_A
        access: Sometimes
        poll: {interval: fast}
      """)
    #expect(found.contains { $0.hasPrefix("gateway.yaml:4: backends[0].url:") && $0.contains("must begin with http:// or https://") })
    #expect(found.contains { $0.hasPrefix("gateway.yaml:6: backends[0].credentials.password: secrets do not belong into this file") })
    #expect(!found.contains { $0.contains("hunter2") })
    #expect(found.contains { $0.hasPrefix("gateway.yaml:7: backends[0].colour: unknown field") })
    #expect(found.contains { $0.hasPrefix("gateway.yaml:11: bindings[0].access: \"Sometimes\" is not one of Observe, Submit, Manage") })
    #expect(found.contains { $0.contains("bindings[0].poll.interval: must be a duration") })
    #expect(found.contains { $0.contains("bindings[0].backend: \"cj\" is none of the backends (ci)") })
    #expect(found.contains { $0.hasPrefix("gateway.yaml:10: bindings[0].namespace: \"Team_A\" cannot be a namespace's name") })
    #expect(found.count == 7)
  }

  @Test(arguments: [
    ("", "the file is empty"), ("backends: [", "is not YAML"), ("backends: 3", "backends: must be a list"),
    ("bindings: []", "backends: is missing"), ("backends:\n- {adapter: local, url: \"http://x\"}", "backends[0].name: is missing"),
    ("backends:\n- {name: a, adapter: local, url: \"http://u:p@x\"}", "must not hold a user or password"),
    ("group: nodot\nbackends: []", "group: \"nodot\" must be a DNS name with a dot"),
  ])
  func refuses(_ yaml: String, _ expected: String) {
    let found = problems(yaml)
    #expect(found.contains { $0.contains(expected) }, "\(found)")
  }

  @Test(arguments: ["team.a", "-team", "team-", "team a", "tëam", "team/a", String(repeating: "a", count: 64)])
  func refusesANamespaceThatKubernetesCannotHave(_ namespace: String) {
    let found = problems(
      """
      backends:
      - {name: a, adapter: local, url: "http://x"}
      bindings:
      - backend: a
        namespace: "\(namespace)"
      """)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("gateway.yaml:5: bindings[0].namespace: \"\(namespace)\" cannot be a namespace's name") ?? false)
  }

  @Test(arguments: ["a", "0", "team-a", "a--b", String(repeating: "a", count: 63)])
  func takesANamespaceThatKubernetesCanHave(_ namespace: String) {
    #expect(
      problems(
        """
        backends:
        - {name: a, adapter: local, url: "http://x"}
        bindings:
        - {backend: a, namespace: "\(namespace)"}
        """
      ).isEmpty)
  }

  @Test(
    arguments: [
      ("0", .zero), ("0s", .zero), ("500ms", .milliseconds(500)), ("1h30m", .seconds(5400)), ("1.5s", .milliseconds(1500)),
      ("-5s", nil), ("5", nil), ("7d", nil), ("s", nil), ("\"\"", nil),
    ] as [(String, Duration?)])
  func readsDurations(_ text: String, _ expected: Duration?) {
    let yaml = """
      backends:
      - {name: a, adapter: local, url: "http://x"}
      bindings:
      - {backend: a, namespace: one, poll: {interval: \(text)}}
      """
    #expect((try? GatewayConfiguration(yaml: yaml, file: "gateway.yaml"))?.bindings[0].poll.interval == expected)
    if expected == nil { #expect(problems(yaml).contains { $0.contains("bindings[0].poll.interval: must be a duration") }) }
  }

  @Test func scalarsOfScopesAreThoseOfYAMLsCoreSchema() throws {
    let configuration = try GatewayConfiguration(
      yaml: """
        backends:
        - {name: a, adapter: local, url: "http://x"}
        bindings:
        - {backend: a, namespace: one, scope: {a: yes, b: true, c: 12, d: "12", e: 1.5, f: ~, g: 12:30, h: [0x10]}}
        """, file: "gateway.yaml")
    #expect(
      configuration.bindings[0].scope
        == ["a": "yes", "b": true, "c": 12, "d": "12", "e": 1.5, "f": .null, "g": "12:30", "h": ["0x10"]])
  }

  @Test func twoBindingsOfTheSameScopeAreRefused() {
    let found = problems(
      """
      backends:
      - {name: a, adapter: local, url: "http://x"}
      bindings:
      - {backend: a, namespace: one, scope: {b: 1, a: 2}}
      - {backend: a, namespace: two, scope: {a: 2, b: 1}}
      """)
    #expect(found.count == 1)
    #expect(found.first?.contains("bindings[1].scope: covers the same part of backend \"a\" as bindings[0]") ?? false)
  }
}
