import Glibc

/// Files of a few kilobytes, such as tokens and certificates.
enum SmallFile {
  /// nil when it cannot be read or is larger than 16 MiB.
  static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16_384)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 {
      bytes += piece[..<count]
      guard bytes.count <= 16 << 20 else { return nil }
    }
    return ferror(file) == 0 ? bytes : nil
  }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
