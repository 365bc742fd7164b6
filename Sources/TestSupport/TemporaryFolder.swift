import Glibc

/// A new folder of one's own under the system's temporary one, short enough for unix sockets.
package struct TemporaryFolder: Sendable {
  package let path: String

  package init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array((parent + "/wf.XXXXXX").utf8CString)
    guard let path = mkdtemp(&template) else { throw Sockets.Failure(description: "mkdtemp: \(String(cString: strerror(errno)))") }
    self.path = String(cString: path)
  }

  package func write(_ text: String, to name: String) throws {
    guard let file = fopen(path + "/" + name, "w") else {
      throw Sockets.Failure(description: "\(name): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    let bytes = Array(text.utf8)
    fwrite(bytes, 1, bytes.count, file)
  }

  /// Removes the files in it and the folder; folders inside are left, and then so is this one.
  package func remove() {
    guard let folder = opendir(path) else { return }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { unlink(path + "/" + name) }
    }
    closedir(folder)
    rmdir(path)
  }
}
