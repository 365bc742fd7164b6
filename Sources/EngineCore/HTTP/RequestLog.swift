internal import JSON

#if canImport(Glibc)
  internal import Glibc
#endif

/// One line per request: time, method, target, status (`-` where the connection was closed without an answer), bytes of the answer's body,
/// and the faults that struck. No header is ever written, so no token is.
final class RequestLog {
  private let descriptor: Int32
  private let path: String
  private let ownsDescriptor: Bool

  /// - Parameter path: a file to append to; nil for standard error.
  init(path: String?) throws(FileError) {
    self.path = path ?? "standard error"
    ownsDescriptor = path != nil
    if let path {
      descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw FileError("open", path, errno: errno) }
    } else {
      descriptor = STDERR_FILENO
    }
  }

  deinit { if ownsDescriptor { close(descriptor) } }

  func write(at: Timestamp, method: String, target: String, status: Int?, bytes: Int, faults: [String]) {
    var line = "\(at) \(method) \(target) \(status.map(String.init) ?? "-") \(bytes)"
    if !faults.isEmpty { line += " fault=\(faults.joined(separator: ","))" }
    try? Files.write(Array("\(line)\n".utf8), to: descriptor, path: path)
  }
}
