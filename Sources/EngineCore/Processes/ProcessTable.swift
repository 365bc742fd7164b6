#if canImport(Glibc)
  internal import Glibc
#endif

/// Finds processes by their environment: those that left their step's process group, or that an earlier life of the engine left behind.
enum ProcessTable {
  /// Sends SIGKILL to every process of ours whose environment holds that variable with that value.
  static func kill(variable: String, value: String) {
    // Entries end in NUL; the one in front of the first is added here.
    let wanted = [0] + Array("\(variable)=\(value)".utf8) + [0]
    for name in Files.names(in: "/proc") {
      guard let process = pid_t(name), process != getpid(), let environment = try? Files.read("/proc/\(name)/environ"), !environment.isEmpty
      else { continue }
      if holds([0] + environment, wanted) { Glibc.kill(process, SIGKILL) }
    }
  }

  private static func holds(_ bytes: [UInt8], _ wanted: [UInt8]) -> Bool {
    let last = bytes.count - wanted.count
    guard last >= 0 else { return false }
    return bytes.withUnsafeBytes { bytes in
      wanted.withUnsafeBytes { wanted in
        var at = 0
        while at <= last, let found = memchr(bytes.baseAddress! + at, 0, last - at + 1) {
          if memcmp(found, wanted.baseAddress!, wanted.count) == 0 { return true }
          at = UnsafeRawPointer(found) - bytes.baseAddress! + 1
        }
        return false
      }
    }
  }
}
