import Glibc

/// Reads whole small files, without Foundation.
enum FileContent {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Throws `Failure` with the system's words, or when the file is larger than 4 MiB.
  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(description: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = Glibc.read(descriptor, &block, block.count)
      if count == 0 { return content }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw Failure(description: String(cString: strerror(errno)))
      }
      content += block[..<count]
      guard content.count <= 4 << 20 else { throw Failure(description: "larger than 4 MiB") }
    }
  }
}
