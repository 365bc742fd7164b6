internal import JSON

/// One zone of the time zone database, in TZif (RFC 8536).
struct TimeZoneRules: Sendable {
  private var transitions: [(at: Int64, offset: Int)] = []
  private var first = 0
  private var footer: PosixZone?

  /// nil when the bytes are no TZif.
  init?(_ bytes: [UInt8]) {
    guard bytes.count > 44, bytes.starts(with: "TZif".utf8) else { return nil }
    func word(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    func signed(_ at: Int, _ size: Int) -> Int64 {
      let value = bytes[at..<at + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }
    var header = 0
    var size = 4
    func counts(_ at: Int) -> (isUT: Int, isStandard: Int, leap: Int, times: Int, types: Int, characters: Int) {
      (word(at + 20), word(at + 24), word(at + 28), word(at + 32), word(at + 36), word(at + 40))
    }
    func length(_ at: Int, _ size: Int) -> Int {
      let c = counts(at)
      return 44 + c.times * (size + 1) + c.types * 6 + c.characters + c.leap * (size + 4) + c.isStandard + c.isUT
    }
    if bytes[4] >= 0x32 {
      header = length(0, 4)
      size = 8
    }
    guard header + 44 <= bytes.count, header + length(header, size) <= bytes.count else { return nil }
    let c = counts(header)
    guard c.types > 0 else { return nil }
    let times = header + 44
    let indices = times + c.times * size
    let types = indices + c.times
    func offset(_ type: Int) -> Int { Int(signed(types + type * 6, 4)) }
    // Before the first transition: the first type that is no daylight saving.
    first = offset((0..<c.types).first { bytes[types + $0 * 6 + 4] == 0 } ?? 0)
    for i in 0..<c.times {
      let type = Int(bytes[indices + i])
      guard type < c.types else { return nil }
      transitions.append((signed(times + i * size, size), offset(type)))
    }
    if size == 8 {
      let rest = bytes[(header + length(header, size))...]
      if rest.first == 0x0A, let end = rest.dropFirst().firstIndex(of: 0x0A) { footer = PosixZone(rest[(rest.startIndex + 1)..<end]) }
    }
  }

  func offset(at seconds: Int64) -> Int {
    guard let last = transitions.last else { return footer?.offset(at: seconds) ?? first }
    if seconds >= last.at { return footer?.offset(at: seconds) ?? last.offset }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? first : transitions[low - 1].offset
  }
}

/// The rule for times after the last transition, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZone: Sendable {
  private enum Day {
    /// From 1, without 29 February.
    case julian(Int)
    /// From 0, with it.
    case zeroBased(Int)
    /// Month, week (5 is the last), weekday from Sunday.
    case month(Int, Int, Int)
  }

  private let standard: Int
  private var daylight: (offset: Int, start: (Day, Int), end: (Day, Int))?

  init?(_ text: ArraySlice<UInt8>) {
    var rest = text
    func name() -> Bool {
      if rest.first == 0x3C {
        guard let end = rest.firstIndex(of: 0x3E) else { return false }
        rest = rest[(end + 1)...]
        return true
      }
      let letters = rest.prefix { ($0 | 0x20) &- 0x61 < 26 }
      rest = rest.dropFirst(letters.count)
      return !letters.isEmpty
    }
    func number() -> Int? {
      let digits = rest.prefix { $0 &- 0x30 < 10 }
      rest = rest.dropFirst(digits.count)
      // RFC 8536 has numbers up to 365.
      guard digits.count <= 3 else { return nil }
      return Int(String(decoding: digits, as: UTF8.self))
    }
    func accept(_ byte: UInt8) -> Bool {
      guard rest.first == byte else { return false }
      rest = rest.dropFirst()
      return true
    }
    func time() -> Int? {
      var sign = 1
      if accept(0x2D) { sign = -1 } else { _ = accept(0x2B) }
      guard var seconds = number().map({ $0 * 3600 }) else { return nil }
      if accept(0x3A) { seconds += (number() ?? 0) * 60 }
      if accept(0x3A) { seconds += number() ?? 0 }
      return sign * seconds
    }
    func day() -> (Day, Int)? {
      guard accept(0x2C) else { return nil }
      let day: Day
      if accept(0x4D) {
        guard let month = number(), accept(0x2E), let week = number(), accept(0x2E), let weekday = number() else { return nil }
        day = .month(month, week, weekday)
      } else if accept(0x4A) {
        guard let number = number() else { return nil }
        day = .julian(number)
      } else {
        guard let number = number() else { return nil }
        day = .zeroBased(number)
      }
      return (day, accept(0x2F) ? time() ?? 7200 : 7200)
    }
    guard name(), let west = time() else { return nil }
    standard = -west
    guard !rest.isEmpty else { return }
    guard name() else { return nil }
    var offset = standard + 3600
    if rest.first != 0x2C, let west = time() { offset = -west }
    guard let start = day(), let end = day() else { return nil }
    daylight = (offset, start, end)
  }

  func offset(at seconds: Int64) -> Int {
    guard let daylight else { return standard }
    let year = Civil(seconds: seconds + Int64(standard)).year
    func moment(_ rule: (Day, Int), _ offset: Int) -> Int64 {
      let days: Int64
      switch rule.0 {
      case .julian(let day):
        let leap = CivilDate.days(inMonth: 2, year: year) == 29
        days = CivilDate.days(year: year, month: 1, day: 1) + Int64(day - 1 + (leap && day >= 60 ? 1 : 0))
      case .zeroBased(let day): days = CivilDate.days(year: year, month: 1, day: 1) + Int64(day)
      case .month(let month, let week, let weekday):
        let first = CivilDate.days(year: year, month: month, day: 1)
        var day = (weekday - CivilDate.weekday(daysSince1970: first) + 7) % 7 + (week - 1) * 7
        if day >= CivilDate.days(inMonth: month, year: year) { day -= 7 }
        days = first + Int64(day)
      }
      return days * 86400 + Int64(rule.1 - offset)
    }
    let start = moment(daylight.start, standard)
    let end = moment(daylight.end, daylight.offset)
    let inside = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
    return inside ? daylight.offset : standard
  }
}
