import Foundation
import Glibc
import JSON
import OrderedCollections
import Testing

@testable import EngineCore

@Suite struct EngineServerTests {
  private static let body = #"{"steps":[{"name":"a","command":["true"]}]}"#

  @Test func onlyHealthIsOpen() async throws {
    try await TestEngine.run { (engine) async throws in
      #expect(try await engine.call("GET", "/health", headers: ["Authorization": nil]).status == 200)
      for target in ["/v1/version", "/v1/jobs", "/nothing", "/jobs/x"] {
        let reply = try await engine.call("GET", target, headers: ["Authorization": nil])
        #expect(reply.status == 401 && reply.code == "unauthorized" && reply.headers["www-authenticate"] != nil)
      }
      #expect(try await engine.call("GET", "/v1/jobs", headers: ["Authorization": "Bearer wrong"]).status == 401)
    }
  }

  @Test func foreignHostsAndOriginsAreRefusedBeforeAnythingElse() async throws {
    try await TestEngine.run { (engine) async throws in
      #expect(try await engine.call("GET", "/health", headers: ["Host": "example.com"]).code == "foreignHost")
      #expect(try await engine.call("GET", "/v1/jobs", headers: ["Host": "example.com:80", "Authorization": nil]).status == 403)
      #expect(try await engine.call("POST", "/v1/jobs", Self.body, headers: ["Origin": "http://localhost"]).code == "foreignOrigin")
      #expect(try await engine.call("GET", "/v1/jobs", headers: ["Host": nil]).status == 400)
    }
  }

  @Test func refusalsHaveTheirStatus() async throws {
    try await TestEngine.run { (engine) async throws in
      #expect(try await engine.call("GET", "/v2/jobs").code == "unknownPath")
      let wrong = try await engine.call("PUT", "/v1/jobs")
      #expect(wrong.status == 405 && wrong.headers["allow"] == "GET, POST")
      let head = try await engine.call("HEAD", "/v1/jobs")
      #expect(head.status == 405 && head.body.isEmpty)
      #expect(try await engine.call("POST", "/v1/jobs", "{").code == "badJSON")
      #expect(try await engine.call("POST", "/v1/jobs", Self.body, headers: ["Content-Type": "text/plain"]).status == 415)
      #expect(try await engine.call("POST", "/v1/jobs", "{}").field == "steps")
      #expect(try await engine.call("GET", "/v1/jobs/none").status == 404)
      #expect(try await engine.call("GET", "/v1/jobs?limit=x").field == "limit")
      #expect(try await engine.call("GET", "/v1/jobs/%zz").status == 400)
      #expect(try await engine.call("GET", "/v1/faults").code == "faultsDisabled")
      let large = "{\"template\":\"\(String(repeating: "x", count: 4 << 20))\"}"
      #expect(try await engine.call("POST", "/v1/jobs", large).status == 413)
      let garbage = try await Reply(engine.raw(Array("garbage\r\n\r\n".utf8)))
      #expect(garbage.status == 400 && garbage.code == "badRequest")
    }
  }

  @Test func severalRequestsOnOneConnection() async throws {
    try await TestEngine.run { (engine) async throws in
      let head = "Host: localhost\r\nAuthorization: Bearer \(TestEngine.token)\r\n"
      let pipelined = "GET /v1/version HTTP/1.1\r\n\(head)\r\nGET /v1/jobs HTTP/1.1\r\n\(head)Connection: close\r\n\r\n"
      let text = String(decoding: try await engine.raw(Array(pipelined.utf8)), as: UTF8.self)
      #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
      #expect(engine.requests.count == 2)
    }
  }

  @Test func aJobRunsRealProcesses() async throws {
    try await TestEngine.run { (engine) async throws in
      let created = try await engine.call(
        "POST", "/v1/jobs",
        #"""
        {"steps":[{"name":"build","image":"golang:1.21","command":["sh","-c"],"args":["echo $(params.word) $WORKFLOW_PARAM_WORD $EXTRA; pwd > where; echo err >&2"],
          "env":{"EXTRA":"e"}},{"name":"test","command":["sh","-c","cat where; printf last; env | grep -c TOKEN; read x || echo eof"]}],"parameters":{"word":"hi"},"envelope":{"a": 1.0}}
        """#)
      #expect(created.status == 201)
      let id = try #require(created.json["id"]?.string)
      #expect(created.headers["location"] == "/v1/jobs/\(id)")
      #expect(try await engine.log(id) == "[build] hi hi e\n[build] err\n[test] \(engine.folder)/work/\(id)\n[test] last0\n[test] eof\n")
      let reply = try await engine.call("GET", "/v1/jobs/\(id)")
      let job = try reply.json
      #expect(job["state"] == "succeeded" && job["progress"] == ["done": 2, "total": 2])
      #expect(job["message"]?.string == "image golang:1.21 ignored: this engine runs steps as local processes")
      #expect(reply.text.contains(#""envelope":{"a": 1.0}"#))
      #expect(try await engine.log(id, "&step=test&tailLines=1") == "eof\n")
      #expect(try await engine.call("GET", "/jobs/\(id)").text.contains("succeeded"))
    }
  }

  @Test func whatCannotBeStartedIsNamed() async throws {
    try await TestEngine.run { (engine) async throws in
      for (command, message) in [
        ("no-such-command", "step a: command not found: no-such-command"), ("./missing", "step a: command not found: ./missing"),
        ("/etc/passwd", "step a: command cannot be executed: /etc/passwd"),
      ] {
        let reply = try await engine.call("POST", "/v1/jobs", #"{"steps":[{"name":"a","command":["\#(command)"]}]}"#)
        let id = try #require(reply.json["id"]?.string)
        _ = try await engine.log(id)
        let job = try await engine.job(id)
        #expect(job["state"] == "failed" && job["message"] == .string(message))
      }
    }
  }

  @Test func cancelEndsTheWholeProcessGroup() async throws {
    try await TestEngine.run { (engine) async throws in
      let id = try await engine.shell("trap '' TERM; sleep 300 & echo $! > child; echo ready; wait; wait")
      let pid = try await StepProcess.id(writtenTo: "\(engine.folder)/work/\(id)/child")
      #expect(kill(pid, 0) == 0)
      #expect(try await engine.call("DELETE", "/v1/jobs/\(id)").code == "running")
      let cancelling = try await engine.call("POST", "/v1/jobs/\(id)/cancel", #"{"graceSeconds":0,"reason":"test"}"#)
      #expect(try cancelling.json["cancelling"] == true)
      _ = try await engine.log(id)
      #expect(try await engine.job(id)["state"] == "cancelled")
      #expect(try await StepProcess.goes(pid))
      #expect(try await engine.call("DELETE", "/v1/jobs/\(id)").status == 200)
      #expect(try await engine.call("GET", "/v1/jobs/\(id)").status == 404)
    }
  }

  @Test func processesThatLeftTheGroupEndWithTheStep() async throws {
    try await TestEngine.run { (engine) async throws in
      // No exec: a program that is just being started cannot be told by its environment.
      let script = "setsid sh -c 'echo $$ > child; while :; do sleep 300; done' & while [ ! -s child ]; do sleep 0.02; done"
      let id = try await engine.shell(script)
      let pid = try await StepProcess.id(writtenTo: "\(engine.folder)/work/\(id)/child")
      _ = try await engine.log(id)
      #expect(try await engine.job(id)["state"] == "succeeded")
      #expect(try await StepProcess.goes(pid))
    }
  }

  @Test func aTimeoutEndsTheStep() async throws {
    try await TestEngine.run { (engine) async throws in
      let id = try await engine.shell("sleep 300", ["timeout": 1])
      _ = try await engine.log(id)
      let job = try await engine.job(id)
      #expect(job["state"] == "timedOut" && job["message"] == "timed out after 1 s")
    }
  }

  @Test func retryGoesOnInTheSameFolder() async throws {
    try await TestEngine.run { (engine) async throws in
      let id = try await engine.shell("echo attempt $WORKFLOW_ATTEMPT; [ -e mark ] || { touch mark; exit 1; }")
      #expect(try await engine.log(id) == "[main] attempt 1\n")
      let retried = try await engine.call("POST", "/v1/jobs/\(id)/retry")
      #expect(retried.status == 200)
      #expect(try await engine.log(id) == "[main] attempt 2\n")
      #expect(try await engine.log(id, "&attempt=1") == "[main] attempt 1\n")
      #expect(try await engine.job(id)["state"] == "succeeded")
    }
  }

  @Test func logsAreBoundedAndSelectable() async throws {
    try await TestEngine.run({ $0.maximumLogBytes = 2000 }) { (engine) async throws in
      let id = try await engine.shell("for i in $(seq 1 20); do echo line $i; done")
      _ = try await engine.log(id)
      #expect(try await engine.call("GET", "/v1/jobs/\(id)/log?step=main&tailLines=2").text == "line 19\nline 20\n")
      let stamped = try await engine.call("GET", "/v1/jobs/\(id)/log?step=main&timestamps=true&tailLines=1").text
      let time = try #require(stamped.split(separator: " ").first)
      #expect(Timestamp(String(time)) != nil)
      let later = Timestamp(microseconds: Timestamp.now().microseconds + 1_000_000).description
      #expect(try await engine.call("GET", "/v1/jobs/\(id)/log?since=\(later)").text.isEmpty)
      #expect(try await engine.call("GET", "/v1/jobs/\(id)/log?step=none").status == 404)
      let long = try await engine.shell("seq 1 5000")
      let text = try await engine.log(long)
      #expect(text.utf8.count < 8000 && text.hasSuffix("[workflow-engine: the log ends here, at the limit of 2000 bytes for a step]\n"))
    }
  }

  @Test func aLargeLogComesWhole() async throws {
    try await TestEngine.run { (engine) async throws in
      let id = try await engine.shell("seq 1 200000")
      let text = try await engine.log(id, "&step=main")
      #expect(text.utf8.count == 1_288_895 && text.hasSuffix("\n200000\n"))
    }
  }

  @Test func repeatedCreatesAreOneJob() async throws {
    try await TestEngine.run { (engine) async throws in
      let body = #"{"steps":[{"name":"a","command":["true"]}],"idempotencyKey":"k"}"#
      let first = try await engine.call("POST", "/v1/jobs", body)
      let second = try await engine.call("POST", "/v1/jobs", body)
      #expect(first.status == 201 && second.status == 200 && second.headers["idempotent-replay"] == "true")
      #expect(try first.json["id"] == second.json["id"])
      #expect(try await engine.call("POST", "/v1/jobs", body.replacingOccurrences(of: "true", with: "false")).status == 409)
    }
  }

  @Test func templatesAndSchedules() async throws {
    try await TestEngine.run { (engine) async throws in
      let template = #"{"description":"d","steps":[{"name":"a","command":["echo","$(params.x)"]}],"parameters":{"required":["x"]}}"#
      #expect(try await engine.call("PUT", "/v1/templates/t", template).status == 201)
      #expect(try await engine.call("PUT", "/v1/templates/t", template).status == 200)
      #expect(try await engine.call("GET", "/v1/templates/t").json["revision"] == 2)
      #expect(try await engine.call("GET", "/v1/templates").json["items"]?.array?.count == 1)
      #expect(try await engine.call("POST", "/v1/jobs", #"{"template":"t"}"#).field == "parameters.x")
      let run = try await engine.call("POST", "/v1/jobs", #"{"template":"t","parameters":{"x":"y"}}"#)
      #expect(try await engine.log(#require(run.json["id"]?.string)) == "[a] y\n")
      let schedule = try await engine.call(
        "POST", "/v1/jobs", #"{"template":"t","parameters":{"x":"y"},"schedule":"@daily","timeZone":"Europe/Berlin"}"#)
      let id = try #require(schedule.json["id"]?.string)
      #expect(try schedule.status == 201 && schedule.json["kind"] == "schedule" && schedule.json["nextRunTime"] != nil)
      #expect(try await engine.call("POST", "/v1/schedules/\(id)/suspend").json["nextRunTime"] == nil)
      #expect(try await engine.call("POST", "/v1/schedules/\(id)/resume").json["nextRunTime"] != nil)
      #expect(try await engine.call("PATCH", "/v1/schedules/\(id)", #"{"overlay":{"a":1}}"#).json["overlay"] == ["a": 1])
      #expect(try await engine.call("GET", "/v1/schedules").json["items"]?.array?.count == 1)
      #expect(try await engine.call("DELETE", "/v1/schedules/\(id)").status == 200)
      #expect(try await engine.call("GET", "/v1/schedules/\(id)").status == 404)
      #expect(try await engine.call("DELETE", "/v1/templates/t").status == 200)
    }
  }

  @Test func aRestartKeepsJobsLogsAndTheirStates() async throws {
    let engine = try await TestEngine.start(durable: true) { $0.limits.parallelJobs = 1 }
    let done = try await engine.shell("echo kept")
    _ = try await engine.log(done)
    let running = try await engine.shell("echo $$ > pid; sleep 300")
    let waiting = try await engine.shell("echo later")
    let pid = try await StepProcess.id(writtenTo: "\(engine.folder)/work/\(running)/pid")
    let before = try await engine.call("GET", "/v1/jobs/\(done)").text
    await engine.stop(keepingFolder: true, grace: .seconds(60))
    #expect(StepProcess.isGone(pid))
    let next = try await TestEngine.start(folder: engine.folder, durable: true)
    let after = try await next.call("GET", "/v1/jobs/\(done)").text
    #expect(after.components(separatedBy: ",\"url\"")[0] == before.components(separatedBy: ",\"url\"")[0])
    #expect(try await next.log(done) == "[main] kept\n")
    #expect(try await next.job(running)["message"] == "step main: engine stopped while the step was running")
    #expect(try await next.log(waiting) == "[main] later\n")
    await next.stop()
  }

  @Test func aUnixSocketIsItsOwnersAlone() async throws {
    let engine = try await TestEngine.start(socket: true)
    var status = stat()
    #expect(stat("\(engine.folder)/socket", &status) == 0 && status.st_mode & 0o777 == 0o600)
    let reply = try await engine.call("POST", "/v1/jobs", Self.body)
    #expect(try reply.status == 201 && reply.json["url"] == nil)
    let error = await #expect(throws: FileError.self) { _ = try await TestEngine.start(folder: engine.folder, socket: true) }
    #expect(error?.description.contains("another engine") == true)
    await engine.stop()
  }

  @Test func theRequestLogHasALinePerRequestAndNoToken() async throws {
    try await TestEngine.run { (engine) async throws in
      let size = try await engine.call("GET", "/v1/jobs?limit=5").body.count
      _ = try await engine.call("GET", "/v1/jobs", headers: ["Authorization": nil])
      let lines = engine.requests.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
      #expect(lines[0] == "GET /v1/jobs?limit=5 200 \(size)")
      #expect(lines[1].hasPrefix("GET /v1/jobs 401 "))
      #expect(!engine.requests.joined().contains(TestEngine.token))
    }
  }
}
