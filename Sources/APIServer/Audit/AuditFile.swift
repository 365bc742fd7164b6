internal import Glibc

/// Where the lines go at last. Called by one thread.
package protocol AuditFile: Sendable {
  /// - Throws: when the lines could not be written, all or in part; no line is left there in half.
  func write(_ lines: ArraySlice<[UInt8]>) throws(AuditFileFailure)
}

/// Why a file cannot be written.
package struct AuditFileFailure: Error, Sendable, CustomStringConvertible {
  package let description: String
  /// Lines that were written before.
  package let written: Int

  init(_ what: String, _ code: CInt = errno, written: Int = 0) {
    description = "\(what): \(String(cString: strerror(code)))"
    self.written = written
  }
}

/// Standard output: the container's log.
package struct AuditStandardOutput: AuditFile {
  package init() {}

  package func write(_ lines: ArraySlice<[UInt8]>) throws(AuditFileFailure) {
    guard let code = FileWriting.write(Array(lines.joined()), to: STDOUT_FILENO)?.code else { return }
    throw AuditFileFailure("cannot write to standard output", code)
  }
}

enum FileWriting {
  /// Writes everything. - Returns: nil when it was; else the error and how much was written before.
  static func write(_ bytes: [UInt8], to file: CInt) -> (code: CInt, written: Int)? {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + written, $0.count - written) }
      if count >= 0 {
        written += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        var waiting = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, 1000)
      default: return (errno, written)
      }
    }
    return nil
  }
}
