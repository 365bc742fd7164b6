internal import JSON

#if canImport(Glibc)
  internal import Glibc
#endif

/// One log file per job, in which the lines of its steps stand in the order in which they came. Belongs to the engine's event loop.
final class LogStore {
  private let folder: String
  /// Of one step in one attempt; what comes above it is dropped and said to be.
  private let maximumBytes: Int
  private var open: [String: Int32] = [:]
  private var partial: [Source: Partial] = [:]

  private struct Source: Hashable {
    var job: String
    var step: Int
    var attempt: Int
  }

  private struct Partial {
    var bytes: [UInt8] = []
    var written = 0
    var isCut = false
  }

  init(folder: String, maximumBytes: Int) throws(FileError) {
    self.folder = folder
    self.maximumBytes = maximumBytes
    try Files.makeFolder(folder, mode: 0o700)
  }

  deinit { for descriptor in open.values { Glibc.close(descriptor) } }

  func path(_ job: String) -> String { "\(folder)/\(job).log" }

  /// Takes output as it comes; whole lines go to the file at once.
  func append(job: String, step: Int, attempt: Int, _ bytes: some Collection<UInt8>, now: Timestamp) {
    let source = Source(job: job, step: step, attempt: attempt)
    var partial = partial[source] ?? Partial()
    partial.bytes += bytes
    var out: [UInt8] = []
    var start = 0
    while start < partial.bytes.count {
      let end = partial.bytes[start...].firstIndex(of: 0x0A)
      // A line without an end is written in pieces.
      if end == nil && partial.bytes.count - start < 65_536 { break }
      let stop = end ?? partial.bytes.count
      write(partial.bytes[start..<stop], source, &partial, to: &out, now: now)
      start = end.map { $0 + 1 } ?? stop
    }
    partial.bytes.removeFirst(start)
    self.partial[source] = partial
    flush(out, job: job)
  }

  /// The step's output has ended: a last line without a line feed is written.
  func end(job: String, step: Int, attempt: Int, now: Timestamp) {
    let source = Source(job: job, step: step, attempt: attempt)
    guard var partial = partial.removeValue(forKey: source), !partial.bytes.isEmpty else { return }
    var out: [UInt8] = []
    write(partial.bytes[...], source, &partial, to: &out, now: now)
    flush(out, job: job)
  }

  /// No step of the job runs: its file is closed.
  func close(job: String) {
    if let descriptor = open.removeValue(forKey: job) { Glibc.close(descriptor) }
  }

  func remove(job: String) {
    close(job: job)
    unlink(path(job))
  }

  private func write(_ line: ArraySlice<UInt8>, _ source: Source, _ partial: inout Partial, to out: inout [UInt8], now: Timestamp) {
    if partial.isCut { return }
    partial.written += line.count + 1
    if partial.written > maximumBytes {
      partial.isCut = true
      out += LogLine.encoded(
        time: now, attempt: source.attempt, step: source.step,
        text: "[workflow-engine: the log ends here, at the limit of \(maximumBytes) bytes for a step]".utf8)
    } else {
      out += LogLine.encoded(time: now, attempt: source.attempt, step: source.step, text: line)
    }
  }

  private func flush(_ bytes: [UInt8], job: String) {
    guard !bytes.isEmpty else { return }
    if open[job] == nil {
      let descriptor = Glibc.open(path(job), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { return }
      open[job] = descriptor
    }
    // A full disk costs log lines, not the job.
    try? Files.write(bytes, to: open[job]!, path: path(job))
  }
}
