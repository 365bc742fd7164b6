import Dispatch
import Foundation
import Glibc
import JSON
import Logging
import Testing

@testable import EngineCore

/// A real engine on a loopback port, in folders of its own.
struct TestEngine {
  let server: EngineServer
  let folder: String
  static let token = "test-token"

  /// - Parameter folder: of an earlier engine, to go on where that stopped.
  static func start(
    folder: String? = nil, durable: Bool = false, socket: Bool = false, _ configure: (inout EngineSettings) -> Void = { _ in }
  ) async throws -> TestEngine {
    let folder = folder ?? NSTemporaryDirectory() + "engine-\(UUID().uuidString.prefix(8))"
    try Files.makeFolder(folder)
    var settings = EngineSettings(
      address: socket ? .unixSocket("\(folder)/socket") : .loopback(host: "127.0.0.1", port: 0),
      token: try #require(BearerToken(token.utf8)), workFolder: "\(folder)/work")
    settings.requestLog = "\(folder)/requests.log"
    if durable { settings.dataFolder = "\(folder)/data" }
    configure(&settings)
    return TestEngine(server: try await EngineServer.start(settings, logger: Logger(label: "test")), folder: folder)
  }

  func stop(keepingFolder: Bool = false, grace: Duration = .milliseconds(300)) async {
    await server.stop(grace: grace)
    if !keepingFolder { try? FileManager.default.removeItem(atPath: folder) }
  }

  /// Runs the test's body against an engine and stops it, whatever happens.
  static func run(durable: Bool = false, _ configure: (inout EngineSettings) -> Void = { _ in }, _ body: (TestEngine) async throws -> Void)
    async throws
  {
    let engine = try await start(durable: durable, configure)
    do { try await body(engine) } catch {
      await engine.stop()
      throw error
    }
    await engine.stop()
  }

  var requests: [String] {
    let text = (try? String(contentsOfFile: "\(folder)/requests.log", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  func call(_ method: String, _ target: String, _ body: String? = nil, headers: [String: String?] = [:]) async throws -> Reply {
    try await Reply(raw(Self.request(method, target, body, token: Self.token, headers: headers)))
  }

  /// One request to whatever engine listens on that port.
  static func exchange(_ method: String, _ target: String, _ body: String?, port: Int, token: String) async throws -> Reply {
    let bytes = request(method, target, body, token: token)
    return try await Reply(
      withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try exchange(bytes, port: UInt16(port), path: nil) }) }
      })
  }

  private static func request(_ method: String, _ target: String, _ body: String?, token: String, headers: [String: String?] = [:])
    -> [UInt8]
  {
    var lines: [String: String?] = ["Host": "localhost", "Authorization": "Bearer \(token)", "Connection": "close"]
    if let body {
      lines["Content-Type"] = "application/json"
      lines["Content-Length"] = String(body.utf8.count)
    }
    for (name, value) in headers { lines[name] = value }
    let head = "\(method) \(target) HTTP/1.1\r\n" + lines.compactMap { name, value in value.map { "\(name): \($0)\r\n" } }.joined() + "\r\n"
    return Array((head + (body ?? "")).utf8)
  }

  /// Sends bytes and reads until the engine closes.
  func raw(_ bytes: [UInt8]) async throws -> [UInt8] {
    let port = UInt16(server.port ?? 0)
    let socketPath = server.port == nil ? "\(folder)/socket" : nil
    return try await withCheckedThrowingContinuation { continuation in
      // Blocking calls belong on a thread that may block.
      DispatchQueue.global().async { continuation.resume(with: Result { try Self.exchange(bytes, port: port, path: socketPath) }) }
    }
  }

  func job(_ id: String) async throws -> JSONValue { try await call("GET", "/v1/jobs/\(id)").json }

  /// A job whose only step is that shell script.
  func shell(_ script: String, _ members: [String: JSONValue] = [:]) async throws -> String {
    var body: JSONValue = ["steps": [["name": "main", "command": ["sh", "-c", .string(script)]]]]
    for (name, value) in members { body[name] = value }
    let reply = try await call("POST", "/v1/jobs", body.text)
    return try #require(reply.json["id"]?.string)
  }

  /// Waits until the job has ended and its log is complete.
  func log(_ id: String, _ query: String = "") async throws -> String {
    try await call("GET", "/v1/jobs/\(id)/log?follow=true\(query)").text
  }

  private static func exchange(_ bytes: [UInt8], port: UInt16, path: String?) throws -> [UInt8] {
    let descriptor = socket(path == nil ? AF_INET : AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let connected: Int32
    if let path {
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
      connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
      }
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
      }
    }
    guard connected == 0 else { throw EngineError(status: 0, code: "test", message: "cannot connect: \(errno)") }
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
      if count <= 0 { break }
      sent += count
    }
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = recv(descriptor, &chunk, chunk.count, 0), count > 0 { all += chunk[..<count] }
    return all
  }
}

/// An answer, taken apart.
struct Reply {
  var status = 0
  var headers: [String: String] = [:]
  var body: [UInt8] = []

  /// - Parameter bytes: empty when the engine closed without an answer.
  init(_ bytes: [UInt8]) throws {
    let separator = Array("\r\n\r\n".utf8)
    guard let end = (0..<max(0, bytes.count - 3)).first(where: { Array(bytes[$0..<$0 + 4]) == separator }) else { return }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
    status = Int(lines[0].split(separator: " ")[1]) ?? 0
    for line in lines.dropFirst() {
      let sides = line.split(separator: ":", maxSplits: 1)
      headers[sides[0].lowercased()] = sides[1].trimmingCharacters(in: .whitespaces)
    }
    var rest = bytes[(end + 4)...]
    guard headers["transfer-encoding"] == "chunked" else {
      body = Array(rest)
      return
    }
    while let line = rest.firstIndex(of: 0x0D), let size = Int(String(decoding: rest[..<line], as: UTF8.self), radix: 16), size > 0 {
      body += rest[(line + 2)..<(line + 2 + size)]
      rest = rest[(line + 2 + size + 2)...]
    }
  }

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSONValue { get throws { try JSONValue(parsing: body) } }
  var code: String? { (try? json)?["error"]?["code"]?.string }
  var field: String? { (try? json)?["error"]?["field"]?.string }
}
