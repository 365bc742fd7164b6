internal import Synchronization

extension Regex {
  private static let known = Mutex<[String: Regex]>([:])

  /// The compiled pattern; the last few hundred stay compiled.
  static func cached(_ pattern: String) throws(CELError) -> Regex {
    // Equal Swift strings may be different code points; such patterns are compiled anew each time.
    if let regex = known.withLock({ $0[pattern] }), sameText(regex.pattern, pattern) { return regex }
    let regex = try Regex(pattern)
    known.withLock {
      if $0.count >= 256 { $0.removeAll() }
      $0[pattern] = regex
    }
    return regex
  }
}
