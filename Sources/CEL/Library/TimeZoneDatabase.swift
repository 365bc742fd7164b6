#if canImport(Glibc)
  internal import Glibc
#endif

/// Folders with one TZif file for each zone, as Unix systems have them.
struct TimeZoneDatabase {
  static let system = TimeZoneDatabase(folders: ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"])

  /// The largest file that is read. Those of the database have up to 4 KB.
  static let maximumBytes = 64 << 10

  /// Looked through in order.
  let folders: [String]

  /// Whether the text can be a zone's name: up to 63 letters, digits, `+`, `-` and `_` in parts between slashes. Without points no name leaves the
  /// folder, whatever it begins with.
  static func isName(_ name: String) -> Bool {
    guard name.utf8.count < 64 else { return false }
    return name.utf8.split(separator: 0x2F, omittingEmptySubsequences: false).allSatisfy { part in
      !part.isEmpty && part.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || [0x2B, 0x2D, 0x5F].contains($0) }
    }
  }

  /// nil when there is no such zone, or its file is none that can be understood.
  func rules(of name: String) -> TimeZoneRules? {
    guard Self.isName(name) else { return nil }
    for folder in folders {
      guard let file = fopen(folder + "/" + name, "rb") else { continue }
      defer { fclose(file) }
      var bytes = [UInt8](repeating: 0, count: Self.maximumBytes + 1)
      let count = fread(&bytes, 1, bytes.count, file)
      guard count <= Self.maximumBytes else { continue }
      if let rules = TimeZoneRules(Array(bytes.prefix(count))) { return rules }
    }
    return nil
  }
}
