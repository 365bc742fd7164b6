import Foundation

@testable import EngineCore

/// A process that a step has started, as the tests see it from outside.
enum StepProcess {
  /// Waits for the file in which it writes its id.
  static func id(writtenTo path: String) async throws -> pid_t {
    for _ in 0..<12_000 {
      if let text = try? String(contentsOfFile: path, encoding: .utf8),
        let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
      {
        return pid
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw EngineError(status: 0, code: "test", message: "no process wrote \(path)")
  }

  /// Gone, or a zombie that nobody has waited for.
  static func isGone(_ pid: pid_t) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
    return text.components(separatedBy: ") ").last?.hasPrefix("Z") ?? true
  }

  /// Waits for that: a signal takes its time.
  static func goes(_ pid: pid_t) async throws -> Bool {
    for _ in 0..<12_000 where !isGone(pid) { try await Task.sleep(for: .milliseconds(10)) }
    return isGone(pid)
  }
}
