#if canImport(Glibc)
  internal import Glibc
#endif

/// The engine's memory on disk: one line of JSON per change, appended and synced before anybody is told; rewritten as a snapshot when it
/// has grown. One engine at a time holds the folder. Not thread safe: it belongs to the engine's event loop.
final class Journal {
  private let path: String
  private var descriptor: Int32 = -1
  private var lock: Int32
  private var size = 0
  private var snapshotSize = 0
  /// Set when a write failed: what is in memory is no longer what is on disk.
  private(set) var failure: FileError?

  /// - Throws: ``FileError`` when the folder is held by another engine or cannot be used.
  init(folder: String) throws(FileError) {
    try Files.makeFolder(folder, mode: 0o700)
    path = "\(folder)/journal.jsonl"
    let lockPath = "\(folder)/lock"
    lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw FileError("open", lockPath, errno: errno) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      Glibc.close(lock)
      lock = -1
      throw FileError("another engine uses the data folder \(folder)")
    }
  }

  deinit { close() }

  /// Lets another engine have the folder. Nothing is stored any more.
  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    if lock >= 0 {
      // A step that is being started at this moment holds a copy of the descriptor, and the lock with it, until its program runs.
      flock(lock, LOCK_UN)
      Glibc.close(lock)
    }
    descriptor = -1
    lock = -1
    failure = failure ?? FileError("the engine has stopped")
  }

  /// Reads the journal into `state` and opens it for appending.
  ///
  /// A last line without its end is what a crash in the middle of a write leaves: nobody was told of it, so it is dropped. Any other line
  /// that makes no sense is damage, and the engine refuses to start on it.
  func load(into state: inout EngineState) throws(FileError) {
    var status = stat()
    let bytes = stat(path, &status) == 0 ? try Files.read(path) : []
    var start = 0
    var number = 0
    while let end = bytes[start...].firstIndex(of: 0x0A) {
      number += 1
      guard JournalRecord.replay(Array(bytes[start..<end]), into: &state) else {
        throw FileError("\(path) is damaged in line \(number); restore it from a copy, or move it away to start empty")
      }
      start = end + 1
    }
    _ = state.takeEffects()
    try rewrite(state)
  }

  /// Appends lines and waits until they are on the disk. - Throws: ``FileError``; from then on every call does.
  func append(_ lines: [[UInt8]], state: @autoclosure () -> EngineState) throws(FileError) {
    if let failure { throw failure }
    do throws(FileError) {
      var bytes: [UInt8] = []
      for line in lines {
        bytes += line
        bytes.append(0x0A)
      }
      try Files.write(bytes, to: descriptor, path: path)
      guard fdatasync(descriptor) == 0 else { throw FileError("sync", path, errno: errno) }
      size += bytes.count
      if size > max(32 << 20, snapshotSize * 3) { try rewrite(state()) }
    } catch {
      failure = error
      throw error
    }
  }

  private func rewrite(_ state: EngineState) throws(FileError) {
    var bytes: [UInt8] = []
    for line in JournalRecord.snapshot(state) {
      bytes += line
      bytes.append(0x0A)
    }
    try Files.replace(path, with: bytes, mode: 0o600)
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path, errno: errno) }
    size = bytes.count
    snapshotSize = bytes.count
  }
}
