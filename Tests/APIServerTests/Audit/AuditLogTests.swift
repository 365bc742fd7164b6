import Foundation
import JSON
import Logging
import Synchronization
import Testing

@testable import APIServer

@Suite(.timeLimit(.minutes(10))) struct AuditLogTests {
  private final class Folder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("audit-\(UUID().uuidString)")
    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }
    var path: String { url.appendingPathComponent("audit.log").path }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
    func text(_ name: String) -> String { (try? String(contentsOf: url.appendingPathComponent(name), encoding: .utf8)) ?? "" }
  }

  private static func mode(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode : 0
  }

  private static func line(_ text: String) -> [UInt8] { Array("\(text)\n".utf8) }

  // MARK: The file

  @Test("a full file is put aside under its time; lines stay whole") func rotation() throws {
    let folder = try Folder()
    let clock = TestClock()
    let file = try RotatingFile(folder.path, limits: .init(maximumSize: 10), clock: clock)
    try file.write([Self.line("1234"), Self.line("5678")])
    #expect(folder.names == ["audit.log"])
    clock.advance(by: .milliseconds(1500))
    try file.write([Self.line("next")])
    #expect(folder.names == ["audit-2026-11-22T12-00-01.500.log", "audit.log"])
    #expect(folder.text("audit-2026-11-22T12-00-01.500.log") == "1234\n5678\n" && folder.text("audit.log") == "next\n")
    // Two in the same millisecond have names of their own; a line that is longer than a file has one to itself.
    try file.write([Self.line("a line that is long"), Self.line("b")])
    #expect(folder.names.count == 4)
    #expect(folder.text("audit-2026-11-22T12-00-01.501.log") == "next\n" && folder.text("audit.log") == "b\n")
  }

  @Test("only so many backups, and none that is too old") func retention() throws {
    let folder = try Folder()
    let clock = TestClock()
    for name in ["audit-2026-11-01T00-00-00.000.log", "audit-other.log", "audit.log.bak", "audit-2026-13-01T00-00-00.000.log"] {
      try Data().write(to: folder.url.appendingPathComponent(name))
    }
    let limits = RotatingFile.Limits(maximumSize: 4, maximumBackups: 2, maximumAge: .seconds(7 * 86_400))
    let file = try RotatingFile(folder.path, limits: limits, clock: clock)
    #expect(!folder.names.contains("audit-2026-11-01T00-00-00.000.log"))
    for text in ["aaa", "bbb", "ccc", "ddd"] {
      try file.write([Self.line(text)])
      clock.advance(by: .seconds(60))
    }
    #expect(
      folder.names == [
        "audit-2026-11-22T12-02-00.000.log", "audit-2026-11-22T12-03-00.000.log", "audit-2026-13-01T00-00-00.000.log", "audit-other.log",
        "audit.log", "audit.log.bak",
      ])
    clock.advance(by: .seconds(8 * 86_400))
    try file.write([Self.line("eee")])
    #expect(folder.names.filter { $0.hasPrefix("audit-2026-11") } == ["audit-2026-11-30T12-04-00.000.log"])
  }

  @Test("0600, goes on where it was, and 0 never puts it aside") func opening() throws {
    let folder = try Folder()
    _ = FileManager.default.createFile(atPath: folder.path, contents: Data("old\n".utf8), attributes: [.posixPermissions: 0o644])
    let file = try RotatingFile(folder.path, limits: .init(maximumSize: 0))
    for _ in 0..<100 { try file.write([Self.line("new")]) }
    #expect(folder.names == ["audit.log"] && folder.text("audit.log").hasPrefix("old\nnew\n"))
    let mode = try FileManager.default.attributesOfItem(atPath: folder.path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let failure = #expect(throws: AuditFileFailure.self) { try RotatingFile("/nowhere/audit.log", limits: .init(maximumSize: 0)) }
    #expect(failure?.description == "cannot open /nowhere/audit.log: No such file or directory")
  }

  @Test("a full disk throws, and says how many lines were written") func full() throws {
    let file = try RotatingFile("/dev/full", limits: .init(maximumSize: 0))
    let failure = #expect(throws: AuditFileFailure.self) { try file.write([Self.line("x")]) }
    #expect(failure?.written == 0 && failure?.description == "cannot write /dev/full: No space left on device")
    // What is no file of ours keeps its mode.
    #expect(access("/dev/full", W_OK) == 0 && Self.mode("/dev/full") & 0o777 != 0o600)
  }

  @Test("a link or a device is never put aside") func links() throws {
    let folder = try Folder()
    let target = folder.url.appendingPathComponent("target").path
    _ = FileManager.default.createFile(atPath: target, contents: nil)
    try FileManager.default.createSymbolicLink(atPath: folder.path, withDestinationPath: target)
    let file = try RotatingFile(folder.path, limits: .init(maximumSize: 4))
    for _ in 0..<3 { try file.write([Self.line("abc")]) }
    #expect(folder.names == ["audit.log", "target"] && folder.text("target") == "abc\nabc\nabc\n")
  }

  // MARK: The queue

  /// Blocks its thread until it is let go; then keeps what it gets.
  private final class GatedFile: AuditFile {
    let gate = DispatchSemaphore(value: 0)
    let state = Mutex<(lines: [[UInt8]], fails: Bool)>(([], false))

    func write(_ lines: ArraySlice<[UInt8]>) throws(AuditFileFailure) {
      gate.wait()
      let fails = state.withLock { state in
        if !state.fails { state.lines += lines }
        return state.fails
      }
      if fails { throw AuditFileFailure("no", 28) }
    }

    var texts: [String] { state.withLock { $0.lines }.map { $0.text } }
  }

  @Test("when the queue is full requests wait, and nothing is lost") func waiting() async throws {
    let file = GatedFile()
    let log = AuditLog(file, capacity: 20, metrics: ServerMetrics(), logger: Logger(label: "test"))
    let written = AtomicCells(1)
    await withTaskGroup(of: Void.self) { group in
      for number in 10..<60 {
        group.addTask {
          await log.write(Self.line("line \(number)"))
          written.add(at: 0)
        }
      }
      for _ in 0..<200 { await Task.yield() }
      // Two lines of eight bytes have room; the thread stands still.
      #expect(written[0] <= 2)
      log.writeNow(Self.line("at once"))
      for _ in 0..<60 { file.gate.signal() }
    }
    await log.close()
    #expect(file.texts.count == 51 && Set(file.texts).count == 51 && file.texts.contains("at once\n"))
  }

  @Test("events that cannot be written are counted, and it goes on when they can") func failing() async throws {
    let file = GatedFile()
    let metrics = ServerMetrics()
    let log = AuditLog(file, metrics: metrics, logger: Logger(label: "test"))
    for _ in 0..<10 { file.gate.signal() }
    file.state.withLock { $0.fails = true }
    await log.write(Self.line("lost"))
    while metrics.auditErrors[0] == 0 { await Task.yield() }
    file.state.withLock { $0.fails = false }
    await log.write(Self.line("kept"))
    await log.close()
    await log.write(Self.line("late"))
    #expect(file.texts == ["kept\n"])
    #expect(try MetricsParser(metrics.text.text).value("apiserver_audit_error_total", ["plugin": "log"]) == 2)
  }

  @Test("a line that is longer than the queue goes alone; closing writes what is there") func closing() async {
    let file = GatedFile()
    let log = AuditLog(file, capacity: 10, metrics: ServerMetrics(), logger: Logger(label: "test"))
    for _ in 0..<10 { file.gate.signal() }
    await log.write([UInt8](repeating: 0x61, count: 100))
    await log.write(Self.line("b"))
    await log.close()
    await log.close()
    #expect(file.texts.map(\.count) == [100, 2])
  }
}
