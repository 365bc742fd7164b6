import Certificates
import Foundation
import HTTPMessage
import HTTPServer
import Logging
import Synchronization
import Testing

/// Answers by a closure.
struct Answering: HTTPResponder {
  let answer: @Sendable (HTTPRequest) async -> HTTPResponse
  func respond(to request: HTTPRequest) async -> HTTPResponse { await answer(request) }
}

/// A body that the test feeds.
final class FedStream: HTTPBodyStream {
  private struct State {
    var wake: (@Sendable () -> Void)?
    var queue: [HTTPBodyStep] = []
    var cancelled = false
    var finished = false
    var pulled = 0
  }
  private let state = Mutex(State())
  /// Of the request: which of many it is.
  let query: String

  init(query: String = "") { self.query = query }

  var isCancelled: Bool { state.withLock { $0.cancelled } }
  var isFinished: Bool { state.withLock { $0.finished } }
  var isStarted: Bool { state.withLock { $0.wake != nil } }
  var pulled: Int { state.withLock { $0.pulled } }

  func feed(_ steps: HTTPBodyStep...) {
    let wake = state.withLock { state in
      state.queue += steps
      return state.wake
    }
    wake?()
  }

  func start(wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }
  func next() -> HTTPBodyStep {
    state.withLock { state in
      state.pulled += 1
      if !state.queue.isEmpty { return state.queue.removeFirst() }
      return state.finished ? .end : .wait(nil)
    }
  }
  func cancel() { state.withLock { $0.cancelled = true } }
  func finish() { state.withLock { $0.finished = true } }
}

/// A responder that echoes, and gives out streams under /watch that the test gets hold of.
final class TestResponder: HTTPResponder {
  private let streams = Mutex<[FedStream]>([])
  private let seen = Mutex<[HTTPRequest]>([])
  private let cancelled = Atomic<Int>(0)
  private let released = Atomic<Bool>(false)

  var watches: [FedStream] { streams.withLock { $0 } }
  var requests: [HTTPRequest] { seen.withLock { $0 } }
  /// Lets the requests to /held and /stubborn be answered; the latter do not end when their peer goes.
  func releaseHeld() { released.store(true, ordering: .relaxed) }
  var cancellations: Int { cancelled.load(ordering: .relaxed) }

  func respond(to request: HTTPRequest) async -> HTTPResponse {
    seen.withLock { $0.append(request) }
    switch request.path {
    case "/watch":
      let stream = FedStream(query: request.query)
      streams.withLock { $0.append(stream) }
      return HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: .stream(stream))
    case "/flood":
      return HTTPResponse(status: 200, body: .stream(FloodStream(log: flood)))
    case "/slow":
      do {
        try await Task.sleep(for: .seconds(600))
      } catch {
        cancelled.add(1, ordering: .relaxed)
      }
      return HTTPResponse(status: 200)
    case "/held":
      while !released.load(ordering: .relaxed) && !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
      return HTTPResponse(status: 200, body: .bytes(Array("held".utf8)))
    case "/stubborn":
      while !released.load(ordering: .relaxed) { await onceMore() }
      return HTTPResponse(status: 200, body: .bytes(Array("stubborn \(request.body.count)".utf8)))
    case "/quarter":
      return HTTPResponse(status: 200, body: .bytes([UInt8](repeating: UInt8(ascii: "q"), count: 200_000)))
    case "/soon":
      try? await Task.sleep(for: .milliseconds(100))
      return HTTPResponse(status: 200, body: .bytes(Array("soon".utf8)))
    case "/large":
      return HTTPResponse(status: 200, body: .bytes([UInt8](repeating: UInt8(ascii: "x"), count: 2_000_000)))
    case "/whoami":
      let certificate = request.peer.certificate
      let text =
        certificate.map { "\($0.authorities.rawValue) \($0.commonName) \($0.organizations.joined(separator: "|"))" }
        ?? (request.peer.hasUnknownCertificate ? "unknown" : "anonymous")
      return HTTPResponse(status: 200, body: .bytes(Array(text.utf8)))
    default:
      let text = "\(request.method) \(request.path) [\(request.query)] \(request.body.count)"
      return HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: .bytes(Array(text.utf8)))
    }
  }

  /// Waits a little also when the task is cancelled.
  private func onceMore() async { await Task { try? await Task.sleep(for: .milliseconds(5)) }.value }

  let flood = FloodLog()
}

final class FloodLog: Sendable {
  private let count = Atomic<Int>(0)
  private let gone = Atomic<Bool>(false)
  var bytes: Int { count.load(ordering: .relaxed) }
  var isCancelled: Bool { gone.load(ordering: .relaxed) }
  func add(_ bytes: Int) { count.add(bytes, ordering: .relaxed) }
  func cancel() { gone.store(true, ordering: .relaxed) }
}

/// Never ends and always has bytes.
final class FloodStream: HTTPBodyStream {
  let log: FloodLog
  init(log: FloodLog) { self.log = log }
  func start(wake: @escaping @Sendable () -> Void) {}
  func next() -> HTTPBodyStep {
    log.add(16_384)
    return .bytes([UInt8](repeating: 46, count: 16_384))
  }
  func cancel() { log.cancel() }
  func finish() {}
}

/// A server on a free port of this machine, with certificates of its own.
final class Fixture: Sendable {
  let responder = TestResponder()
  let server: HTTPServer
  let port: Int
  let folder: URL
  let serving: CertificateAuthority
  let clientCA: CertificateAuthority
  let proxyCA: CertificateAuthority
  let tls: TLSMaterial

  init(_ adjust: (inout HTTPServerConfiguration) -> Void = { _ in }) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("httpserver-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.folder = folder
    serving = try .makeSelfSigned(commonName: "serving-ca")
    clientCA = try .makeSelfSigned(commonName: "client-ca")
    proxyCA = try .makeSelfSigned(commonName: "proxy-ca")
    let issued = try serving.issue(commonName: "server", dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"], usage: .server)
    func write(_ name: String, _ text: String) throws {
      try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    try write("tls.crt", issued.certificatePEM)
    try write("tls.key", issued.privateKeyPEM)
    try write("ca.crt", serving.certificatePEM)
    try write("client-ca.crt", clientCA.certificatePEM)
    try write("proxy-ca.crt", proxyCA.certificatePEM)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    func file(_ name: String) -> TLSSource { .file(folder.appendingPathComponent(name).path) }
    tls = try TLSMaterial(
      .init(
        certificate: file("tls.crt"), privateKey: file("tls.key"), clientCA: file("client-ca.crt"), requestHeaderCA: file("proxy-ca.crt")),
      logger: logger)
    var configuration = HTTPServerConfiguration()
    configuration.threads = 2
    // A guard; who tests it sets it.
    configuration.handshakeTimeout = .seconds(300)
    configuration.tls = tls
    adjust(&configuration)
    server = HTTPServer(configuration: configuration, responder: responder, logger: logger)
    port = try await server.start().port
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func write(_ name: String, _ text: String) throws -> String {
    try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    return path(name)
  }

  func stop(grace: Duration = .seconds(2)) async {
    await server.shutdown(grace: grace)
    try? FileManager.default.removeItem(at: folder)
  }

  func url(_ path: String) -> String { "https://localhost:\(port)\(path)" }

  func curl(_ arguments: String...) async throws -> Ran {
    try await run("curl", ["-sS", "--cacert", path("ca.crt"), "--max-time", "120"] + arguments)
  }
}

struct Ran: Sendable {
  let status: Int32
  let output: String
  let errors: String
}

/// Runs a program to its end without blocking the caller's thread.
func run(_ program: String, _ arguments: [String]) async throws -> Ran {
  let child = try RunningProgram(program, arguments)
  return await child.wait()
}

/// A program in the background, for watches.
final class RunningProgram: Sendable {
  private let process: Process
  private let collected = Mutex<(output: Data, errors: Data)>((Data(), Data()))
  private let output = Pipe()
  private let errors = Pipe()
  private let readers = DispatchGroup()

  init(_ program: String, _ arguments: [String]) throws {
    process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    readers.enter()
    readers.enter()
    Thread.detachNewThread { [self] in
      defer { readers.leave() }
      while case let data = output.fileHandleForReading.availableData, !data.isEmpty { collected.withLock { $0.output += data } }
    }
    Thread.detachNewThread { [self] in
      defer { readers.leave() }
      while case let data = errors.fileHandleForReading.availableData, !data.isEmpty { collected.withLock { $0.errors += data } }
    }
  }

  var text: String { collected.withLock { String(decoding: $0.output, as: UTF8.self) } }

  func terminate() { kill(process.processIdentifier, SIGKILL) }

  func wait() async -> Ran {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { [self] in
        process.waitUntilExit()
        readers.wait()
        let (out, err) = collected.withLock { ($0.output, $0.errors) }
        continuation.resume(
          returning: Ran(
            status: process.terminationStatus, output: String(decoding: out, as: UTF8.self), errors: String(decoding: err, as: UTF8.self)))
      }
    }
  }
}

/// Waits until it holds; false after the time.
func eventually(_ seconds: Double = 120, _ condition: () -> Bool) async -> Bool {
  let end = ContinuousClock.now + .seconds(seconds)
  while !condition() {
    guard ContinuousClock.now < end else { return false }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return true
}
