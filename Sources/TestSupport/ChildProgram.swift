import Glibc
import Synchronization

/// A program of the machine that a test talks to. Its output goes to a file, so that a full pipe never stops it.
package final class ChildProgram: Sendable {
  private let process: pid_t
  private let logFile: String
  private let status = Mutex<Int32?>(nil)

  /// Where a program lies in `PATH`; nil when it is not installed.
  package static func find(_ name: String) -> String? {
    (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// Starts it with our environment, without input. A name with a slash in it is a path.
  package init(_ name: String, _ arguments: [String]) throws {
    guard let path = name.contains("/") ? name : ChildProgram.find(name) else {
      throw Sockets.Failure(description: "\(name) is not installed")
    }
    var template = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/wf-log.XXXXXX".utf8CString)
    let log = mkstemp(&template)
    guard log >= 0 else { throw Sockets.Failure(description: "mkstemp: \(String(cString: strerror(errno)))") }
    defer { close(log) }
    logFile = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, log, 1)
    posix_spawn_file_actions_adddup2(&actions, log, 2)
    // The threads that run tasks block most signals, and a child would inherit that: SIGTERM would not end it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    let result = posix_spawn(&process, path, &actions, &attributes, &words, environ)
    guard result == 0 else { throw Sockets.Failure(description: "\(name): \(String(cString: strerror(result)))") }
    self.process = process
  }

  /// Runs it to its end. - Throws: with its output, when the exit status is not 0.
  package static func run(_ name: String, _ arguments: [String]) throws {
    let child = try ChildProgram(name, arguments)
    let status = child.wait()
    guard status == 0 else { throw Sockets.Failure(description: "\(name) \(arguments.first ?? "") ended with \(status): \(child.output)") }
  }

  /// What it wrote so far, to both streams.
  package var output: String {
    guard let file = fopen(logFile, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Asks it to end (SIGTERM) and waits for that. Harmless when repeated.
  package func stop() {
    if status.withLock({ $0 == nil }) { kill(process, SIGTERM) }
    _ = wait()
  }

  deinit {
    stop()
    unlink(logFile)
  }

  private func wait() -> Int32 {
    status.withLock { status in
      if let status { return status }
      var raw: Int32 = 0
      while waitpid(process, &raw, 0) < 0 && errno == EINTR {}
      // WEXITSTATUS, or the signal as shells show it.
      let result = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + (raw & 0x7F)
      status = result
      return result
    }
  }
}
