import JSON
import Synchronization

@testable import APIServer

/// Keeps events for tests to look at.
final class MemorySink: AuditSink {
  private let lines = Mutex<[[UInt8]]>([])

  func write(_ line: [UInt8]) async { writeNow(line) }
  func writeNow(_ line: [UInt8]) { lines.withLock { $0.append(line) } }

  /// Every line is one document and ends with its only line feed.
  var events: [JSONValue] {
    lines.withLock { $0 }.map { line in
      guard line.last == 0x0A, !line.dropLast().contains(0x0A) else { return .null }
      return (try? JSONValue(parsing: line)) ?? .null
    }
  }

  /// What was written since the last call.
  func take() -> [JSONValue] {
    defer { lines.withLock { $0 = [] } }
    return events
  }
}
