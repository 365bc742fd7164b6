#if canImport(Glibc)
  internal import Glibc
#endif

extension String {
  /// Equal byte for byte. Swift's `==` also holds between two spellings of the same characters (é in one scalar, or as e with an accent), which are two
  /// texts for clients and engines: a change from one to the other is a change.
  package func hasSameBytes(as other: String) -> Bool {
    let (mine, theirs) = (utf8, other.utf8)
    guard mine.count == theirs.count else { return false }
    let isSame = mine.withContiguousStorageIfAvailable { mine in
      theirs.withContiguousStorageIfAvailable { mine.isEmpty || memcmp(mine.baseAddress!, $0.baseAddress!, mine.count) == 0 }
    }
    return isSame.flatMap { $0 } ?? mine.elementsEqual(theirs)
  }
}

extension [String: String] {
  /// The same names with the same values, byte for byte; see ``Swift/String/hasSameBytes(as:)``.
  package func hasSameBytes(as other: [String: String]) -> Bool {
    count == other.count
      && allSatisfy { name, value in
        guard let index = other.index(forKey: name) else { return false }
        return name.hasSameBytes(as: other[index].key) && value.hasSameBytes(as: other[index].value)
      }
  }
}

extension [String] {
  /// The same texts in the same order, byte for byte; see ``Swift/String/hasSameBytes(as:)``.
  package func hasSameBytes(as other: [String]) -> Bool {
    count == other.count && zip(self, other).allSatisfy { $0.hasSameBytes(as: $1) }
  }
}
