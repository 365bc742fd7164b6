extension Regex {
  /// The matches from the left that do not overlap: each as its text and its groups' (nil for a group that took no part).
  func spans(in text: String, limit: Int, _ left: inout UInt64) throws(CELError) -> [[String?]] {
    var found: [[String?]] = []
    try each(in: text, limit: limit, &left) { bytes, match in
      found.append(
        stride(from: 0, to: match.count, by: 2).map { i in
          match[i] < 0 ? nil : String(decoding: bytes[match[i]..<match[i + 1]], as: UTF8.self)
        })
    }
    return found
  }

  /// `\0` … `\9` in the replacement stand for the match and its groups, `\\` for a backslash.
  ///
  /// - Throws: ``CELError`` for any other backslash, for a group that the pattern lacks, and when the result is too long.
  func replacing(in text: String, with replacement: String, limit: Int, _ left: inout UInt64) throws(CELError) -> String {
    var template: [(literal: [UInt8], group: Int?)] = []
    var literal: [UInt8] = []
    var escaped = false
    for byte in replacement.utf8 {
      if escaped {
        escaped = false
        if byte == 0x5C {
          literal.append(byte)
        } else if byte &- 0x30 < 10 {
          guard Int(byte - 0x30) <= groups else { throw CELError("the replacement names group \(byte - 0x30), the pattern has \(groups)") }
          template.append((literal, Int(byte - 0x30)))
          literal = []
        } else {
          throw CELError("invalid replacement: a backslash is followed by a digit or a backslash")
        }
      } else if byte == 0x5C {
        escaped = true
      } else {
        literal.append(byte)
      }
    }
    guard !escaped else { throw CELError("invalid replacement: trailing backslash") }
    template.append((literal, nil))
    var out: [UInt8] = []
    var at = 0
    var tooLong = false
    try each(in: text, limit: limit, &left) { bytes, match in
      guard !tooLong else { return }
      out += bytes[at..<match[0]]
      for (literal, group) in template {
        out += literal
        if let group, match[2 * group] >= 0 { out += bytes[match[2 * group]..<match[2 * group + 1]] }
      }
      at = match[1]
      tooLong = out.count > maximumTextBytes
    }
    guard !tooLong else { throw CELError("the result of replacing is longer than allowed") }
    out += Array(text.utf8)[at...]
    return String(decoding: out, as: UTF8.self)
  }

  static let exhausted = CELError(.costExceeded, "finding matches would cost more than the evaluation may")

  /// Each search ends where its match does, but may have to look to the end of the text to know: all of them together are paid for by what they looked at.
  private func each(in text: String, limit: Int, _ left: inout UInt64, _ body: (UnsafeBufferPointer<UInt8>, [Int]) -> Void) throws(CELError)
  {
    var budget = left
    let finished = text.withBytes { bytes in
      var at = 0
      var count = 0
      var lastEnd = -1
      var scanned = 0
      while count < limit, at <= bytes.count, let match = firstMatch(in: bytes, from: at, scanned: &scanned) {
        let spent = UInt64(scanned + 1) * UInt64(instructions.count) / 40 + 1
        guard spent <= budget else { return false }
        budget -= spent
        let empty = match[0] == match[1]
        // An empty match directly after a match is none, as in RE2.
        if !(empty && match[0] == lastEnd) {
          body(bytes, match)
          count += 1
        }
        lastEnd = match[1]
        at = match[1]
        if empty {
          at += 1
          while at < bytes.count, bytes[at] & 0xC0 == 0x80 { at += 1 }
        }
      }
      return true
    }
    left = budget
    guard finished else { throw Self.exhausted }
  }
}
