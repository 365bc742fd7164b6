internal import Glibc
internal import JSON
internal import Synchronization
package import Translation

/// A file that is put aside when it is full, as Kubernetes components do it: `audit.log` becomes `audit-2026-11-23T00-10-30.123.log`. Only its owner
/// can read it, since it tells who did what.
package final class RotatingFile: AuditFile {
  package struct Limits: Sendable {
    /// Bytes; 0 never puts the file aside.
    package var maximumSize: Int
    /// Files that were put aside; 0 for any number.
    package var maximumBackups: Int
    /// Of files that were put aside; nil for any.
    package var maximumAge: Duration?

    package init(maximumSize: Int, maximumBackups: Int = 0, maximumAge: Duration? = nil) {
      self.maximumSize = maximumSize
      self.maximumBackups = maximumBackups
      self.maximumAge = maximumAge
    }
  }

  private struct State {
    var file: CInt
    var size: Int
    /// False for a device, a pipe or a link, such as /dev/stdout: those are neither put aside nor given another mode.
    var isOurs: Bool
  }

  private let path: String
  private let limits: Limits
  private let clock: any TimeSource
  private let state: Mutex<State>

  /// Opens the file, or makes it.
  package init(_ path: String, limits: Limits, clock: any TimeSource = SystemClock()) throws(AuditFileFailure) {
    self.path = path
    self.limits = limits
    self.clock = clock
    state = Mutex(try Self.open(path))
    clean()
  }

  deinit { state.withLock { _ = close($0.file) } }

  package func write(_ lines: ArraySlice<[UInt8]>) throws(AuditFileFailure) {
    let failure = state.withLock { state -> AuditFileFailure? in
      do throws(AuditFileFailure) {
        try write(lines, &state)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  private func write(_ lines: ArraySlice<[UInt8]>, _ state: inout State) throws(AuditFileFailure) {
    var buffer: [UInt8] = []
    var buffered = 0
    var written = 0
    func flush(_ state: inout State) throws(AuditFileFailure) {
      guard !buffer.isEmpty else { return }
      if let failure = FileWriting.write(buffer, to: state.file) {
        // A line in half would spoil the next one, too.
        if failure.written > 0, state.isOurs { ftruncate(state.file, off_t(state.size)) }
        throw AuditFileFailure("cannot write \(path)", failure.code, written: written)
      }
      state.size += buffer.count
      written += buffered
      buffer.removeAll(keepingCapacity: true)
      buffered = 0
    }
    for line in lines {
      if limits.maximumSize > 0, state.isOurs, state.size + buffer.count > 0, state.size + buffer.count + line.count > limits.maximumSize {
        try flush(&state)
        rotate(&state)
      }
      buffer += line
      buffered += 1
    }
    try flush(&state)
  }

  // MARK: Rotation

  /// Where that fails, the old file goes on growing: better than losing events.
  private func rotate(_ state: inout State) {
    var moment = clock.now
    while access(backup(moment), F_OK) == 0 { moment = moment + .milliseconds(1) }
    // Somebody else may have taken it away already.
    guard rename(path, backup(moment)) == 0 || errno == ENOENT, let new = try? Self.open(path) else { return }
    close(state.file)
    state = new
    clean()
  }

  /// Removes backups that are too many or too old.
  private func clean() {
    guard limits.maximumBackups > 0 || limits.maximumAge != nil else { return }
    let oldest = limits.maximumAge.map { clock.now - $0 }
    for (index, backup) in backups.sorted(by: { $0.moment > $1.moment }).enumerated() {
      let isTooMany = limits.maximumBackups > 0 && index >= limits.maximumBackups
      if isTooMany || oldest.map({ backup.moment < $0 }) ?? false { unlink(backup.path) }
    }
  }

  private var folder: String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./" }
  /// The name up to the last point, and what follows with the point.
  private var name: (stem: Substring, end: Substring) {
    let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
    guard let point = name.lastIndex(of: "."), point > name.startIndex else { return (name, "") }
    return (name[..<point], name[point...])
  }

  private func backup(_ moment: Timestamp) -> String {
    let (stem, end) = name
    // `2026-11-23T00:10:30.123456Z` to the millisecond, with characters that every file system takes.
    let time = moment.description.dropLast(4).map { $0 == ":" ? "-" : $0 }
    return "\(folder)\(stem)-\(String(time))\(end)"
  }

  private var backups: [(path: String, moment: Timestamp)] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    let (stem, end) = name
    var found: [(String, Timestamp)] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix(stem + "-"), name.hasSuffix(end) else { continue }
      let time = name.dropFirst(stem.count + 1).dropLast(end.count)
      guard time.utf8.count == 23, let day = time.firstIndex(of: "T") else { continue }
      let clock = time[day...].map { $0 == "-" ? ":" : $0 }
      guard let moment = Timestamp(time[..<day] + String(clock) + "Z") else { continue }
      found.append((folder + name, moment))
    }
    return found
  }

  private static func open(_ path: String) throws(AuditFileFailure) -> State {
    let file = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw AuditFileFailure("cannot open \(path)") }
    var status = stat()
    let isOurs = lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    // Also one that was there before with another mode.
    if isOurs { fchmod(file, 0o600) }
    let end = lseek(file, 0, SEEK_END)
    return State(file: file, size: max(0, Int(end)), isOurs: isOurs)
  }
}
