import Foundation
import Glibc
import JSON
import OrderedCollections
import Testing

@testable import EngineCore

/// The program itself, started, signalled and started again.
@Suite(.enabled(if: EngineProgram.path != nil, "workflow-engine is not built beside the tests"))
struct EngineProcessTests {
  @Test func sigtermStoresAndLeavesNothingBehind() async throws {
    let program = try EngineProgram()
    defer { program.remove() }
    try await program.start()
    let id = try await program.shell("sleep 600 & echo $! > child; wait")
    let child = try await StepProcess.id(writtenTo: "\(program.folder)/data/work/\(id)/child")
    let begin = ContinuousClock.now
    program.signal(SIGTERM)
    #expect(await program.exitStatus() == 0)
    #expect(ContinuousClock.now - begin < .seconds(300))
    #expect(StepProcess.isGone(child))
    try await program.start()
    let job = try await program.get("/v1/jobs/\(id)")
    #expect(job["state"] == "failed" && job["message"] == "step main: engine stopped while the step was running")
    program.signal(SIGINT)
    #expect(await program.exitStatus() == 0)
  }

  @Test func aKilledEngineComesBackWithTheTruth() async throws {
    let program = try EngineProgram()
    defer { program.remove() }
    try await program.start()
    let done = try await program.shell("echo kept")
    try await program.finished(done)
    let id = try await program.shell("sleep 300 & echo $! > child; wait")
    let child = try await StepProcess.id(writtenTo: "\(program.folder)/data/work/\(id)/child")
    let token = program.token
    let seq = try await program.get("/v1/jobs")["latestSeq"]?.int ?? 0
    program.signal(SIGKILL)
    #expect(await program.exitStatus() != 0)
    #expect(!StepProcess.isGone(child))
    try await program.start()
    #expect(program.token == token)
    let job = try await program.get("/v1/jobs/\(id)")
    #expect(job["state"] == "failed" && job["message"] == "step main: engine restarted while the step was running")
    #expect(try await program.get("/v1/jobs/\(done)")["state"] == "succeeded")
    #expect(try await StepProcess.goes(child))
    let changes = try await program.get("/v1/jobs?changedSince=\(seq)")
    #expect(changes["items"]?.array?.map { $0["id"] } == [.string(id)] && changes["deletionsComplete"] == true)
    program.signal(SIGTERM)
    #expect(await program.exitStatus() == 0)
  }

  @Test(arguments: [
    (["--listen", "0.0.0.0:0"], "loopback"), (["--listen", "192.168.1.1:80"], "loopback"), (["--listen", "8080"], "ADDRESS:PORT"),
    (["--fault", "503"], "--allow-faults"), (["--fault", "boom", "--allow-faults"], "is none of"),
    (["--templates", "missing.json"], "missing.json"),
    (["--listen", "127.0.0.1:0", "--unix-socket", "s"], "exclude"),
  ]) func wrongFlagsAreRefusedWithTheReason(_ flags: [String], _ reason: String) async throws {
    let program = try EngineProgram()
    defer { program.remove() }
    let (status, text) = try await program.runToEnd(["--token-file", "token"] + flags)
    #expect(status != 0)
    #expect(text.contains(reason))
  }
}

/// A folder and the engine that runs in it.
private final class EngineProgram: @unchecked Sendable {
  static let path: String? = {
    guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return nil }
    let path = (own as NSString).deletingLastPathComponent + "/workflow-engine"
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()

  let folder = NSTemporaryDirectory() + "engine-program-\(UUID().uuidString.prefix(8))"
  private var process = Process()
  private var port = 0

  init() throws { try Files.makeFolder(folder) }

  var token: String {
    (try? String(contentsOfFile: "\(folder)/token", encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
  }

  func start() async throws {
    try? FileManager.default.removeItem(atPath: "\(folder)/port")
    process = make([
      "--token-file", "token", "--port-file", "port", "--data-dir", "data", "--request-log", "requests.log", "--listen", "localhost:0",
    ])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<12_000 {
      if let text = try? String(contentsOfFile: "\(folder)/port", encoding: .utf8),
        let number = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
      {
        port = number
        return
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw EngineError(status: 0, code: "test", message: "the engine did not start")
  }

  func runToEnd(_ flags: [String]) async throws -> (Int32, String) {
    process = make(flags)
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: pipe.fileHandleForReading.readDataToEndOfFile()) }
    }
    return (await exitStatus(), String(decoding: data, as: UTF8.self))
  }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  func exitStatus() async -> Int32 {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        self.process.waitUntilExit()
        continuation.resume(returning: self.process.terminationStatus)
      }
    }
  }

  func get(_ target: String) async throws -> JSONValue { try await TestEngine.exchange("GET", target, nil, port: port, token: token).json }

  func shell(_ script: String) async throws -> String {
    let body: JSONValue = ["steps": [["name": "main", "command": ["sh", "-c", .string(script)]]]]
    return try #require(try await TestEngine.exchange("POST", "/v1/jobs", body.text, port: port, token: token).json["id"]?.string)
  }

  func finished(_ id: String) async throws {
    for _ in 0..<12_000 {
      if try await get("/v1/jobs/\(id)")["finishedAt"]?.string != nil { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw EngineError(status: 0, code: "test", message: "\(id) did not finish")
  }

  func remove() {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func make(_ flags: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.path ?? "")
    process.arguments = flags
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    return process
  }
}
