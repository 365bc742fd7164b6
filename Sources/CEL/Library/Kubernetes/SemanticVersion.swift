/// Semantic Versioning 2.0.0.
final class SemanticVersion: CELOrdered {
  let major: Int64
  let minor: Int64
  let patch: Int64
  let prerelease: [String]
  let build: String

  private init(_ numbers: [Int64], prerelease: [String], build: String) {
    (major, minor, patch) = (numbers[0], numbers[1], numbers[2])
    self.prerelease = prerelease
    self.build = build
  }

  /// - Parameter normalize: takes a leading `v`, fewer than three numbers, and leading zeros.
  static func parse(_ text: String, normalize: Bool) -> SemanticVersion? {
    var rest = text[...]
    if normalize, rest.hasPrefix("v") || rest.hasPrefix("V") { rest = rest.dropFirst() }
    var build = ""
    if let plus = rest.firstIndex(of: "+") {
      build = String(rest[rest.index(after: plus)...])
      rest = rest[..<plus]
      guard identifiers(build) != nil else { return nil }
    }
    var prerelease: [String] = []
    if let dash = rest.firstIndex(of: "-") {
      guard let parts = identifiers(String(rest[rest.index(after: dash)...])) else { return nil }
      prerelease = parts
      rest = rest[..<dash]
      for part in parts where isNumber(part) && part.count > 1 && part.hasPrefix("0") { return nil }
    }
    var parts = rest.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
    if normalize {
      guard parts.count <= 3 else { return nil }
      while parts.count < 3 { parts.append("0") }
    }
    guard parts.count == 3 else { return nil }
    var numbers: [Int64] = []
    for part in parts {
      guard isNumber(part), normalize || part == "0" || !part.hasPrefix("0"), let number = Int64(part) else { return nil }
      numbers.append(number)
    }
    return SemanticVersion(numbers, prerelease: prerelease, build: build)
  }

  private static func isNumber(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 &- 0x30 < 10 } }

  private static func identifiers(_ text: String) -> [String]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
    for part in parts {
      guard !part.isEmpty, part.utf8.allSatisfy({ $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2D }) else { return nil }
    }
    return parts
  }

  var typeName: String { "kubernetes.Semver" }
  func isEqual(to other: any CELOpaque) -> Bool { compare(to: other) == 0 }

  var text: String? {
    "\(major).\(minor).\(patch)" + (prerelease.isEmpty ? "" : "-" + prerelease.joined(separator: ".")) + (build.isEmpty ? "" : "+" + build)
  }

  func compare(to other: any CELOpaque) -> Int? {
    guard let other = other as? SemanticVersion else { return nil }
    for (a, b) in [(major, other.major), (minor, other.minor), (patch, other.patch)] where a != b { return a < b ? -1 : 1 }
    if prerelease.isEmpty || other.prerelease.isEmpty {
      return prerelease.isEmpty == other.prerelease.isEmpty ? 0 : prerelease.isEmpty ? 1 : -1
    }
    for (a, b) in zip(prerelease, other.prerelease) where a != b {
      switch (Self.isNumber(a), Self.isNumber(b)) {
      case (true, true):
        if a.count != b.count { return a.count < b.count ? -1 : 1 }
        return a < b ? -1 : 1
      case (true, false): return -1
      case (false, true): return 1
      default: return textPrecedes(a, b) ? -1 : 1
      }
    }
    return prerelease.count == other.prerelease.count ? 0 : prerelease.count < other.prerelease.count ? -1 : 1
  }
}
