import Glibc
import JSON
import TestSupport
import Testing

@Suite struct TimestampTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000001Z", 1), ("1969-12-31T23:59:59.999999Z", -1),
    ("2026-11-22T19:07:13.167702Z", 1_795_374_433_167_702), ("2026-11-22t19:07:13z", 1_795_374_433_000_000),
    ("2026-11-22 19:07:13Z", 1_795_374_433_000_000), ("2026-11-22T20:07:13+01:00", 1_795_374_433_000_000),
    ("2026-11-22T13:37:13-05:30", 1_795_374_433_000_000), ("2026-11-22T19:07:13+00:00", 1_795_374_433_000_000),
    ("2026-11-22T19:07:13-00:00", 1_795_374_433_000_000), ("2026-11-22T19:07:13.5Z", 1_795_374_433_500_000),
    ("2026-11-22T19:07:13.1677029999Z", 1_795_374_433_167_702), ("2026-11-22T19:07:13.000000000000000000000000001Z", 1_795_374_433_000_000),
    ("2026-11-22T20:07:13.25+01:00", 1_795_374_433_250_000), ("2000-02-29T00:00:00Z", 951_782_400_000_000),
    ("2024-02-29T23:59:59Z", 1_709_251_199_000_000), ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
    ("0000-01-01T00:00:00Z", -62_167_219_200_000_000), ("0000-02-29T00:00:00Z", -62_162_121_600_000_000),
    ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999), ("1969-12-31T23:30:00-00:30", 0),
    ("1600-02-29T12:00:00Z", -11_670_955_200_000_000),
  ])
  func reads(_ text: String, _ microseconds: Int64) { #expect(Timestamp(text)?.microseconds == microseconds) }

  @Test(arguments: [
    "", "now", "2026-11-22", "2026-11-22T19:07:13", "2026-11-22T19:07Z", "2026-11-22T19:07:13.Z", "2026-11-22T19:07:13,5Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z", "2023-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-11-22T24:00:00Z", "2026-11-22T19:60:00Z", "2026-11-22T19:07:61Z", "2026-11-22T19:07:13+1:00", "2026-11-22T19:07:13+0100",
    "2026-11-22T19:07:13+01", "2026-11-22T19:07:13+24:00", "2026-11-22T19:07:13+01:60", "2026-11-22T19:07:13+01:00x",
    "2026-11-22T19:07:13Zx",
    "2026-11-22T19:07:13Z ", " 2026-11-22T19:07:13Z", "2026/11/22T19:07:13Z", "2026-11-22T19.07.13Z", "2026-11-22_19:07:13Z",
    "-026-11-22T19:07:13Z",
    "+2026-11-22T19:07:13Z", "12026-11-22T19:07:13Z", "2026-11-22T19:07:1٣Z", "2026-11-22T19:07:13.5", "2026-11-22T19:07:13\u{0}",
  ])
  func refuses(_ text: String) { #expect(Timestamp(text) == nil) }

  @Test func writes() {
    #expect(Timestamp(microseconds: 1_795_374_433_167_702).description == "2026-11-22T19:07:13.167702Z")
    #expect(Timestamp(microseconds: 1_795_374_433_167_702).rfc3339Seconds == "2026-11-22T19:07:13Z")
    #expect(Timestamp(seconds: 0).description == "1970-01-01T00:00:00.000000Z")
    #expect(Timestamp(microseconds: -1).description == "1969-12-31T23:59:59.999999Z")
    #expect(Timestamp(microseconds: -1).rfc3339Seconds == "1969-12-31T23:59:59Z")
    #expect(Timestamp(seconds: -62_167_219_200).rfc3339Seconds == "0000-01-01T00:00:00Z")
    #expect(Timestamp(seconds: -62_167_219_201).rfc3339Seconds == "-0001-12-31T23:59:59Z")
    #expect(Timestamp(seconds: 253_402_300_800).rfc3339Seconds == "10000-01-01T00:00:00Z")
    // Marks for "never" are written, too, at the least into a log.
    #expect(Timestamp(microseconds: .max).rfc3339Seconds == "294247-01-10T04:00:54Z")
    #expect(Timestamp(microseconds: .min).rfc3339Seconds == "-290308-12-21T19:59:05Z")
  }

  /// Read back what was written, and as the C library writes it.
  @Test func everyMomentOfTheCalendarIsReadBack() {
    var random = SeededGenerator(seed: 1)
    for i in 0..<20_000 {
      // Half of them near the ends of days.
      var micros = Int64.random(in: -62_167_219_200_000_000...253_402_300_799_999_999, using: &random)
      if i % 2 == 0 { micros = micros / 86_400_000_000 * 86_400_000_000 + Int64.random(in: -2...2, using: &random) }
      let time = Timestamp(microseconds: micros)
      if Timestamp(time.description) != time { Issue.record("\(micros) was written as \(time)") }
      var seconds = time_t(micros >= 0 ? micros / 1_000_000 : (micros - 999_999) / 1_000_000)
      var parts = tm()
      gmtime_r(&seconds, &parts)
      var buffer = [CChar](repeating: 0, count: 40)
      let count = strftime(&buffer, buffer.count, "-%m-%dT%H:%M:%SZ", &parts)
      let year = String(parts.tm_year + 1900)
      let expected =
        String(repeating: "0", count: 4 - year.utf8.count) + year + String(decoding: buffer.prefix(count).map { UInt8($0) }, as: UTF8.self)
      if time.rfc3339Seconds != expected { Issue.record("\(time.rfc3339Seconds) instead of \(expected)") }
    }
  }

  @Test func refusesOrReadsAnything() {
    var random = SeededGenerator(seed: 2)
    let valid = Array("2026-11-22T19:07:13.167702+01:30".utf8)
    let alphabet = Array("0123456789-:.+TtZz ".utf8)
    for _ in 0..<50_000 {
      var text = valid
      for _ in 0...random.below(3) {
        switch random.below(3) {
        case 0: text.removeSubrange(random.below(text.count + 1)...)
        case 1: if !text.isEmpty { text[random.below(text.count)] = random.pick(alphabet) }
        default: text.insert(random.pick(alphabet), at: random.below(text.count + 1))
        }
      }
      guard let time = Timestamp(String(decoding: text, as: UTF8.self)) else { continue }
      if time >= Timestamp(seconds: -62_167_219_200), time < Timestamp(seconds: 253_402_300_800), Timestamp(time.description) != time {
        Issue.record("\(String(decoding: text, as: UTF8.self)) was read as \(time)")
      }
    }
  }

  @Test func arithmeticEndsAtTheFirstAndTheLastMoment() {
    let (first, last, now) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max), Timestamp(seconds: 1_795_374_433))
    #expect(now + .seconds(1) - now == .seconds(1))
    #expect(now - .microseconds(3) < now)
    #expect(now - first == .microseconds(Int64.max))
    #expect(first - now == .microseconds(Int64.min))
    #expect(last - first == .microseconds(Int64.max))
    #expect(last + .seconds(1) == last && first - .seconds(1) == first)
    #expect(first + .seconds(-1) == first && last - .seconds(-1) == last)
    #expect(now + .seconds(Int64.max) == last && Timestamp(seconds: -1) + .seconds(Int64.min) == first)
    #expect(Timestamp(seconds: .max) == last && Timestamp(seconds: .min) == first)
  }

  @Test func wholeMicrosecondsOfADuration() {
    #expect(Duration.seconds(1.5).inMicroseconds == 1_500_000)
    #expect(Duration.nanoseconds(1999).inMicroseconds == 1)
    #expect(Duration.nanoseconds(-1999).inMicroseconds == -1)
    #expect(Duration.seconds(Int64.max).inMicroseconds == .max && Duration.seconds(Int64.min).inMicroseconds == .min)
  }
}
