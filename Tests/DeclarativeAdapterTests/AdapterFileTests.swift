import AdapterKit
import DeclarativeAdapter
import Foundation
import JSON
import OrderedCollections
import Testing

@Suite struct AdapterFileTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: ["local", "airflow"])
  func shippedFilesAreGood(_ name: String) async throws {
    do {
      let file = try await AdapterFile.load(Self.root.appendingPathComponent("adapters/\(name)").path)
      #expect(file.name == name)
      #expect(!file.abilityNames.isEmpty)
    } catch {
      Issue.record("\(error)")
    }
  }

  /// The first file that docs/adapters.md shows.
  @Test func theDocumentedFileIsGood() throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent("docs/adapters.md"), encoding: .utf8)
    let begin = try #require(text.range(of: "```yaml\nformat: 1"))
    let end = try #require(text.range(of: "\n```", range: begin.upperBound..<text.endIndex))
    let file = try AdapterFile.parse("format: 1" + text[begin.upperBound..<end.lowerBound], file: "docs/adapters.md")
    #expect(file.abilityNames == ["submit", "get", "list"])
  }

  @Test func theMiniatureIsGood() throws { #expect(try AdapterFile.parse(miniature(), file: "mini.yaml").version == "1.2.3") }

  /// What is changed in the miniature, and the beginning of the problem's line and a part of its text.
  static let mistakes: [(change: (String, String), line: Int, field: String, message: String)] = [
    (("format: 1", "format: 2"), 1, "format", "must be 1"),
    (("name: mini\n", ""), 1, "name", "is missing"),
    (("engine: Mini CI", "engien: Mini CI"), 4, "engien", "did you mean 'engine'?"),
    (("engine: Mini CI", "engine: [Mini CI]"), 4, "engine", "must be a text, not a list"),
    (("version: 1.2.3", "version: 1.2"), 3, "version", "put it in quotes"),
    (("request: GET /health", "request: FETCH /health"), 6, "health.request", "must begin with one of GET"),
    (("request: GET /health", "request: GET health"), 6, "health.request", "needs a path that begins with '/'"),
    (("request: GET /health", "request: GET /health?x=1"), 6, "health.request", "stands under query"),
    (("request: GET /health", "request: GET /health/${nobody}"), 6, "health.request", "undeclared reference to 'nobody'"),
    (("request: GET /health", "request: GET /health/${1 +}"), 6, "health.request", "at column"),
    (("request: GET /health", "request: GET /health/${now"), 6, "health.request", "no matching '}'"),
    (("id: ${row.id}", "id: ${raw.id}"), 10, "runs.map.id", "did you mean 'row'?"),
    (("    id: ${row.id}\n", ""), 9, "runs.map.id", "is missing"),
    (("new: Pending", "new: Waiting"), 8, "runs.states.new", "must be one of Pending, Running, Succeeded, Failed"),
    (("reason: Cancelled", "reason: was cancelled"), 8, "runs.states.stopped.reason", "CamelCase"),
    (("    number: ${row.try}", "    count: ${row.try}"), 13, "runs.map.attempt.count", "unknown key"),
    (("state: ${row.state}", "stat: ${row.state}"), 14, "runs.map.stat", "did you mean 'state'?"),
    (("${submission.template}", "${submission.templat}"), 19, "runs.submit.template.body.template", "templat"),
    (("run: ${response.body}\n  get", "#\n  get"), 18, "runs.submit.template.run", "is missing"),
    (("request: GET /jobs/${key.id}\n    run: ${response.body}", "request: GET /jobs/${key.id}"), 22, "runs.get", "needs 'run'"),
    (("    rows: ${response.body.items}\n", ""), 29, "runs.list", "needs 'rows'"),
    (("by: offset", "by: pages"), 32, "runs.list.page.by", "must be one of offset, number, token, link"),
    (("size: 2", "size: 0"), 32, "runs.list.page.size", "from 1 to"),
    (("by: offset", "by: token"), 32, "runs.list.page.next", "is missing"),
    (("request: DELETE /jobs/${key.id}", "request: DELETE /jobs/${key.name}"), 38, "runs.delete.request", "name"),
    (("query: {name:", "qeury: {name:"), 26, "runs.find.qeury", "did you mean 'query'?"),
    (("health:\n  request: GET /health", "health: {}"), 5, "health.request", "is missing"),
    (("health:\n  request: GET /health", "health:\n  request: GET /health\n  body: {}"), 7, "health.body", "has no body"),
    (("engine: Mini CI", "engine: Mini CI\nengine: x"), 4, "", "twice"),
    (("engine: Mini CI", "engine: 'Mini CI"), 0, "", "not YAML"),
    (("engine: Mini CI", "engine: Mini CI\nmessage: ${a ? b : c}"), 5, "", "must be quoted"),
    (
      ("engine: Mini CI", "engine: Mini CI\nerrors:\n  rules:\n  - {status: 404, code: gone}"), 7, "errors.rules[0].code",
      "unknown code 'gone'"
    ),
    (
      ("engine: Mini CI", "engine: Mini CI\nerrors:\n  rules:\n  - {status: 42, code: invalid}"), 7, "errors.rules[0].status", "HTTP status"
    ),
    (
      ("engine: Mini CI", "engine: Mini CI\nsettings:\n  properties:\n    a: {type: text}"), 7, "settings.properties.a.type",
      "must be one of string"
    ),
    (
      ("engine: Mini CI", "engine: Mini CI\nsettings:\n  properties:\n    a: {type: integer, default: x}"), 7,
      "settings.properties.a.default",
      "must be an integer, not a string"
    ),
    (("engine: Mini CI", "engine: Mini CI\ndefaults: {timeout: 30}"), 5, "defaults.timeout", "span of time"),
    (("engine: Mini CI", "engine: Mini CI\nauth: {basic: {username: a, password: b}, bearer: c}"), 5, "auth", "exactly one of"),
    (("engine: Mini CI", "engine: Mini CI\nauth: {bearer: '${credentials.tokn}'}\ncredentials: {token: x}"), 5, "auth.bearer", "tokn"),
    (("engine: Mini CI", "engine: Mini CI\ntraits: {submissionKeys: sometimes}"), 5, "traits.submissionKeys", "must be one of enforced"),
    (("engine: Mini CI", "engine: Mini CI\ntraits: {inlineSteps: true}"), 5, "traits.inlineSteps", "no runs.submit.steps"),
    (("engine: Mini CI", "engine: Mini CI\nlog: {read: {request: GET /log}}"), 5, "log.read", "needs one of lines"),
    (
      ("engine: Mini CI", "engine: Mini CI\nexamples: [{operation: gett, answers: [], expect: {}}]"), 5, "examples[0].operation",
      "must be one of"
    ),
  ]

  @Test(arguments: mistakes.indices)
  func mistakesAreToldWithTheirPlace(_ index: Int) throws {
    let (change, line, field, message) = Self.mistakes[index]
    let good = miniature()
    let text = good.replacingOccurrences(of: change.0, with: change.1)
    #expect(text != good, "the change '\(change.0)' changes nothing")
    let errors = #expect(throws: AdapterFileErrors.self) { try AdapterFile.parse(text, file: "mini.yaml") }
    let problems = errors?.problems ?? []
    let fits = problems.contains {
      $0.field == field && $0.message.contains(message) && (line == 0 || $0.line == line) && $0.file == "mini.yaml"
    }
    #expect(fits, "wanted \(line): \(field): …\(message)…, got:\n\(problems.map(\.description).joined(separator: "\n"))")
  }

  @Test func allProblemsAreToldAtOnce() throws {
    let text = miniature().replacingOccurrences(of: "by: offset", with: "by: x").replacingOccurrences(of: "new: Pending", with: "new: x")
      .replacingOccurrences(of: "${reason}", with: "${raison}")
    let errors = #expect(throws: AdapterFileErrors.self) { try AdapterFile.parse(text, file: "mini.yaml") }
    #expect(errors?.problems.map(\.field) == ["runs.states.new", "runs.list.page.by", "runs.cancel.body.reason"])
  }

  @Test func anExampleThatDoesNotHoldIsAProblem() async throws {
    let text = miniature(
      """
      examples:
      - operation: get
        with: {key: {id: a}}
        answers: [{request: GET /jobs/a, body: {id: a, try: 1, state: ok}}]
        expect: {phase: Succeeded, envelope: null}
      - operation: get
        with: {key: {id: a}}
        answers: [{request: GET /jobs/a, body: {id: a, try: 1, state: ok}}]
        expect: {phase: Failed}
      - operation: get
        with: {key: {id: b}}
        answers: [{request: GET /jobs/a, body: {id: a, try: 1, state: ok}}]
        expect: {phase: Failed}
      - operation: delete
        with: {key: {id: b}}
        answers: [{request: DELETE /jobs/b, status: 409, body: {error: busy}}]
        expectError: {code: conflict}
      - operation: delete
        with: {key: {id: b}}
        answers: [{request: DELETE /jobs/b, status: 404}, {request: GET /jobs/b}]
        expectError: {code: notFound}
      """)
    let problems = try await AdapterFile.parse(text, file: "mini.yaml").checkExamples()
    #expect(problems.map(\.field) == ["examples[1]", "examples[2].answers[0]", "examples[4].answers[1]"])
    #expect(problems[0].message.contains(#"expected "Failed", got "Succeeded""#))
    #expect(problems[1].message.contains("expected the request 'GET /jobs/a', got 'GET /jobs/b'"))
    #expect(problems[2].message.contains("was not made"))
  }

  @Test func settingsAreCheckedAgainstTheSchema() throws {
    let text = miniature(
      """
      settings:
        properties:
          project: {type: string, description: the project}
          retries: {type: integer, minimum: 0, maximum: 5, default: 3}
          mode: {type: string, enum: [a, b]}
          tags: {type: array, items: {type: string}}
        required: [project]
      scope:
        properties: {folder: {type: string}}
      """)
    let file = try AdapterFile.parse(text, file: "mini.yaml")
    let stub = StubTransport([])
    let error = #expect(throws: BackendSettingsError.self) {
      _ = try DeclarativeAdapterFactory.make(file, context(stub, ["retries": 9, "mode": "c", "tags": ["x", 1], "projct": "p"]))
    }
    #expect(error?.faults.map(\.field) == ["settings.retries", "settings.mode", "settings.tags[1]", "settings.projct", "settings.project"])
    #expect(error?.description.contains("settings.projct is unknown; did you mean 'project'?") == true)
    #expect(error?.description.contains("settings.project is missing (the project)") == true)
    _ = try DeclarativeAdapterFactory.make(file, context(stub, ["project": "p"]))
    #expect(DeclarativeAdapterFactory.faults(inScope: .init(["folder": 1]), file).map(\.field) == ["scope.folder"])
    var bad = context(stub, ["project": "p"])
    bad.url = "https://user:pw@e.test"
    #expect(throws: BackendSettingsError.self) { _ = try DeclarativeAdapterFactory.make(file, bad) }
  }
}
