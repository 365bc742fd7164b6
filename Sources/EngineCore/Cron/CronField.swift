/// One field of a cron expression: the values that match, as bits.
struct CronField: Hashable, Sendable {
  var bits: UInt64 = 0
  /// The field begins with `*` or `?`: it doesn't restrict the day (the rule between day of month and day of week).
  var isWildcard = false

  func contains(_ value: Int) -> Bool { bits & (1 << UInt64(value)) != 0 }

  /// The smallest matching value that is not below `value`.
  func first(from value: Int) -> Int? {
    guard value < 64 else { return nil }
    let rest = (bits >> UInt64(value)) << UInt64(value)
    return rest == 0 ? nil : rest.trailingZeroBitCount
  }

  /// Lists of `*`, `a`, `a-b`, each with an optional `/step`; `a/step` runs to the field's end.
  /// - Throws: ``CronError`` naming the field and the part.
  init(_ text: some StringProtocol, field: String, range: ClosedRange<Int>, names: [String] = [], wraps: Bool = false) throws(CronError) {
    func value(_ text: some StringProtocol) throws(CronError) -> Int {
      if let position = names.firstIndex(of: text.lowercased()) { return position + range.lowerBound }
      let highest = wraps ? range.upperBound + 1 : range.upperBound
      guard !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(text) else {
        throw CronError(message: "\(field): \"\(text)\" is neither a number\(names.isEmpty ? "" : " nor a name")")
      }
      guard range.lowerBound <= number, number <= highest else {
        throw CronError(message: "\(field): \(number) is not within \(range.lowerBound)-\(highest)")
      }
      return number
    }
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
      guard !part.isEmpty, pieces.count <= 2 else { throw CronError(message: "\(field): \"\(text)\" is malformed") }
      var step = 1
      if pieces.count == 2 {
        guard let number = Int(pieces[1]), number > 0, pieces[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
          throw CronError(message: "\(field): \"\(pieces[1])\" is no step; a step is a number above 0")
        }
        step = number
      }
      var low = range.lowerBound
      var high = range.upperBound
      if pieces[0] == "*" || pieces[0] == "?" {
        // `*/2` counts as a wildcard too, as it does in Vixie cron.
        isWildcard = true
      } else {
        let ends = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2 else { throw CronError(message: "\(field): \"\(pieces[0])\" is malformed") }
        low = try value(ends[0])
        if ends.count == 2 { high = try value(ends[1]) } else if pieces.count == 1 { high = low }
        guard low <= high else { throw CronError(message: "\(field): the range \(pieces[0]) runs backwards") }
      }
      var number = low
      while number <= high {
        // 7 is Sunday as well.
        bits |= 1 << UInt64(wraps && number > range.upperBound ? range.lowerBound : number)
        let (next, overflow) = number.addingReportingOverflow(step)
        if overflow { break }
        number = next
      }
    }
  }
}

/// A malformed cron expression.
struct CronError: Error, Hashable, Sendable {
  var message: String
}
