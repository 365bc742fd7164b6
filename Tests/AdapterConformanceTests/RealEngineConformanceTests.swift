import AdapterConformance
import AdapterKit
import CurlTransport
import DeclarativeAdapter
import Foundation
import JSON
import OrderedCollections
import TestSupport
import Testing

/// The adapters that ship as files, against the engines themselves.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RealEngineConformanceTests {
  @Test(.enabled(if: Engines.workflowEngine != nil, "workflow-engine was not built; WORKFLOW_ENGINE can name it"))
  func local() async throws {
    let folder = try TemporaryFolder()
    let templates = """
      [{"name": "quick", "parameters": {"type": "object", "properties": {"who": {"type": "string"}}},
        "steps": [{"name": "greet", "command": ["sh", "-c", "echo hello $WORKFLOW_PARAM_WHO"]}]},
       {"name": "slow", "steps": [{"name": "wait", "command": ["sleep", "600"]}]},
       {"name": "failing", "steps": [{"name": "fail", "command": ["sh", "-c", "exit 3"]}]}]
      """
    try folder.write(templates, to: "templates.json")
    let at = folder.path
    let engine = try ChildProgram(
      try #require(Engines.workflowEngine),
      ["--port-file", at + "/port", "--token-file", at + "/token", "--templates", at + "/templates.json"])
    defer {
      engine.stop()
      folder.remove()
    }
    var port: String?
    for _ in 0..<6_000 where port == nil {
      port = (try? String(contentsOfFile: at + "/port", encoding: .utf8)).flatMap {
        $0.isEmpty ? nil : $0.trimmingCharacters(in: .whitespacesAndNewlines)
      }
      if port == nil { try await Task.sleep(for: .milliseconds(20)) }
    }
    let url = "http://127.0.0.1:\(try #require(port, "\(engine.output)"))"
    let token = try String(contentsOfFile: at + "/token", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    let (adapter, transport) = try await Engines.adapter("local", url: url, credentials: ["token": token])
    defer { transport.shutdown() }
    let report = await Conformance(
      adapter,
      ConformanceFixture(
        scope: AdapterScope(), quick: .init(template: "quick", parameters: ["who": "world"]), slow: .init(template: "slow"),
        failing: .init(template: "failing"),
        inline: .init(steps: [
          InlineStep(name: "build", command: ["true"]), InlineStep(name: "test", command: ["sh", "-c"], args: ["echo ok"]),
        ]),
        quickOutput: "hello world", nonce: "c\(UInt32.random(in: 0...UInt32.max))", patience: .seconds(120), interval: .milliseconds(50),
        startForeign: { envelope in
          var body: JSONValue = ["template": "quick", "parameters": ["who": "nobody"]]
          if let envelope { body["envelope"] = envelope }
          let answer = try await Engines.post(url + "/v1/jobs", body, token: token, transport)
          return RunKey(id: answer["id"]?.string ?? "")
        },
        now: Engines.now)
    ).run()
    print(report)
    #expect(report.failures.isEmpty, "\(report)")
  }

  /// Needs the Airflow that `hack/airflow/up` starts, with its DAGs.
  @Test(.enabled(if: Engines.variable("AIRFLOW_URL") != nil, "AIRFLOW_URL is not set; hack/airflow/up starts an Airflow"))
  func airflow() async throws {
    let url = try #require(Engines.variable("AIRFLOW_URL"))
    let (username, password) = (Engines.variable("AIRFLOW_USERNAME") ?? "op", Engines.variable("AIRFLOW_PASSWORD") ?? "oppw")
    let (adapter, transport) = try await Engines.adapter("airflow", url: url, credentials: ["username": username, "password": password])
    defer { transport.shutdown() }
    let scope = try JSONValue(parsing: Engines.variable("AIRFLOW_SCOPE") ?? #"{"tags": ["gateway"]}"#)
    let report = await Conformance(
      adapter,
      ConformanceFixture(
        scope: AdapterScope(scope), quick: .init(template: "example_etl", parameters: ["rows": 3, "message": "hello world"]),
        slow: .init(template: "example_slow", parameters: ["seconds": 120]), failing: .init(template: "example_failing"),
        inline: .init(steps: [
          InlineStep(name: "build", command: ["true"]), InlineStep(name: "test", command: ["sh", "-c"], args: ["echo ok"]),
        ]),
        quickOutput: "hello world", nonce: "c\(UInt32.random(in: 0...UInt32.max))", patience: .seconds(90), interval: .seconds(1),
        startForeign: { envelope in
          let login = try await Engines.post(
            url + "/auth/token", ["username": .string(username), "password": .string(password)], token: nil, transport)
          var conf: JSONValue = ["rows": 2, "message": "nobody"]
          // What the adapter wrote is copied with the conf as it stands.
          if let envelope { conf["workflow.example.com"] = ["envelope": envelope, "key": "another"] }
          let body: JSONValue = ["logical_date": nil, "conf": conf]
          let answer = try await Engines.post(
            url + "/api/v2/dags/example_etl/dagRuns", body, token: login["access_token"]?.string, transport)
          return RunKey(parent: "example_etl", id: answer["dag_run_id"]?.string ?? "")
        },
        now: Engines.now)
    ).run(only: Engines.variable("CONFORMANCE_ONLY").map { Set($0.split(separator: ";").map(String.init)) })
    print(report)
    #expect(report.failures.isEmpty, "\(report)")
  }
}

enum Engines {
  static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

  /// Beside the test program, where SwiftPM puts all programs of one build.
  static let workflowEngine: String? = {
    let here = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return ([variable("WORKFLOW_ENGINE")] + [here.appendingPathComponent("workflow-engine").path]).compactMap { $0 }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  static let now: @Sendable () -> Timestamp = { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }

  /// What somebody else does in the engine.
  static func post(_ url: String, _ body: JSONValue, token: String?, _ transport: CurlTransport) async throws -> JSONValue {
    let headers = [("Content-Type", "application/json")] + (token.map { [("Authorization", "Bearer \($0)")] } ?? [])
    let answer = try await transport.send(TransportRequest(method: "POST", url: url, headers: headers, body: body.encoded))
    guard 200..<300 ~= answer.status else { throw AdapterError(.invalid, "the test's own POST ended with \(answer.status)") }
    return try JSONValue(parsing: answer.body)
  }

  static func adapter(_ name: String, url: String, credentials: [String: String]) async throws -> (any Adapter, CurlTransport) {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let file = try await AdapterFile.load(root.appendingPathComponent("adapters/\(name)/adapter.yaml").path)
    let transport = CurlTransport()
    let context = BackendContext(name: name, url: url, transport: transport) { (name) throws(AdapterError) in
      guard let value = credentials[name] else { throw AdapterError(.unauthenticated, "the test has no credential \(name)") }
      return value
    }
    return (try DeclarativeAdapterFactory.make(file, context), transport)
  }
}
