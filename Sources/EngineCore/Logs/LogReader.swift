#if canImport(Glibc)
  internal import Glibc
#endif

/// Reads a log file in pieces, from its beginning to what is there now; can be asked again when there is more.
struct LogReader: ~Copyable {
  private let descriptor: Int32
  private var rest: [UInt8] = []

  /// A log that doesn't exist yet reads as empty.
  init(path: String) { descriptor = open(path, O_RDONLY | O_CLOEXEC) }

  deinit { if descriptor >= 0 { close(descriptor) } }

  var isOpen: Bool { descriptor >= 0 }

  /// Wanted lines of the next piece; nil at the present end.
  mutating func next(_ filter: LogFilter) -> [UInt8]? {
    guard let piece = readPiece() else { return nil }
    var out: [UInt8] = []
    Self.lines(&rest, adding: piece) { if let written = filter.written($0) { out += written } }
    return out
  }

  /// The last `count` wanted lines up to the present end.
  mutating func tail(_ count: Int, _ filter: LogFilter) -> [UInt8] {
    var ring: [[UInt8]] = []
    var oldest = 0
    while let piece = readPiece() {
      Self.lines(&rest, adding: piece) { line in
        guard count > 0, let written = filter.written(line) else { return }
        if ring.count < count {
          ring.append(written)
        } else {
          ring[oldest] = written
          oldest = (oldest + 1) % count
        }
      }
    }
    return Array((ring[oldest...] + ring[..<oldest]).joined())
  }

  private func readPiece() -> [UInt8]? {
    guard descriptor >= 0 else { return nil }
    var chunk = [UInt8](repeating: 0, count: 1 << 17)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return nil }
      chunk.removeSubrange(count...)
      return chunk
    }
  }

  private static func lines(_ rest: inout [UInt8], adding piece: [UInt8], _ body: (LogLine) -> Void) {
    rest += piece
    var start = 0
    while let end = rest[start...].firstIndex(of: 0x0A) {
      if let line = LogLine(rest[start..<end]) { body(line) }
      start = end + 1
    }
    rest.removeFirst(start)
  }
}
