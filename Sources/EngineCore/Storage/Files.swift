#if canImport(Glibc)
  internal import Glibc
#endif

/// A file could not be read or written.
package struct FileError: Error, Sendable, CustomStringConvertible {
  package var description: String

  init(_ doing: String, _ path: String, errno code: Int32) {
    description = "cannot \(doing) \(path): \(String(cString: strerror(code)))"
  }

  init(_ description: String) { self.description = description }
}

/// The few calls of the system that the engine needs for files.
package enum Files {
  /// - Throws: ``FileError``.
  package static func read(_ path: String) throws(FileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path, errno: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileError("read", path, errno: errno) }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  /// Writes everything, however many calls that takes.
  static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileError("write", path, errno: errno) }
      done += count
    }
  }

  /// Replaces a file in one step, so that nobody ever reads half of it, and waits until it is on the disk.
  package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o644) throws(FileError) {
    let temporary = "\(path).new"
    // A file that is there could have another mode.
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw FileError("create", temporary, errno: errno) }
    do {
      defer { close(descriptor) }
      try write(bytes, to: descriptor, path: temporary)
      guard fsync(descriptor) == 0 else { throw FileError("sync", temporary, errno: errno) }
    }
    guard rename(temporary, path) == 0 else { throw FileError("rename", temporary, errno: errno) }
    syncFolder(of: path)
  }

  /// Makes a rename or creation in a folder last.
  static func syncFolder(of path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Makes a folder and those above it.
  package static func makeFolder(_ path: String, mode: UInt32 = 0o755) throws(FileError) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else { throw FileError("cannot make the folder \(path): a file is there") }
      return
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolder(String(path[..<slash]), mode: mode) }
    if mkdir(path, mode) != 0, errno != EEXIST { throw FileError("make the folder", path, errno: errno) }
  }

  /// Names in a folder, sorted; empty where it cannot be read.
  package static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Removes a file, or a folder with everything in it; symbolic links are removed, not followed. What resists stays.
  package static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
      if status.st_mode & 0o700 != 0o700 { chmod(path, 0o700) }
      for name in names(in: path) { remove("\(path)/\(name)") }
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
