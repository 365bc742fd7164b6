import JSON
import Testing

@testable import EngineCore

@Suite struct CronExpressionTests {
  private static func next(_ cron: String, _ after: String, _ zone: String = "UTC") throws -> String? {
    try CronExpression(cron).next(after: #require(Timestamp(after)), in: #require(TimeZoneRules(zone)))?.description
  }

  @Test(arguments: [
    ("* * * * *", "2026-03-01T12:00:00Z", "2026-03-01T12:01:00.000000Z"),
    ("* * * * *", "2026-03-01T12:00:59.999Z", "2026-03-01T12:01:00.000000Z"),
    ("*/15 * * * *", "2026-03-01T12:46:00Z", "2026-03-01T13:00:00.000000Z"),
    ("5,10-20/5,59 * * * *", "2026-03-01T12:20:00Z", "2026-03-01T12:59:00.000000Z"),
    ("50/5 * * * *", "2026-03-01T12:50:00Z", "2026-03-01T12:55:00.000000Z"),
    ("0 3 * * *", "2026-12-31T03:00:00Z", "2027-01-01T03:00:00.000000Z"),
    ("0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00.000000Z"),
    ("0 0 * * mon-fri", "2026-03-06T00:00:00Z", "2026-03-09T00:00:00.000000Z"),
    ("0 0 * * 7", "2026-03-01T00:00:00Z", "2026-03-08T00:00:00.000000Z"),
    ("0 0 * JAN,jul *", "2026-03-01T00:00:00Z", "2026-07-01T00:00:00.000000Z"),
    // Both days restricted: either is enough. 13 March 2026 is a Friday; 6 March too.
    ("0 0 13 * fri", "2026-03-01T00:00:00Z", "2026-03-06T00:00:00.000000Z"),
    ("0 0 10 * fri", "2026-03-07T00:00:00Z", "2026-03-10T00:00:00.000000Z"),
    // A field that begins with a star doesn't restrict.
    ("0 0 */2 * fri", "2026-03-01T00:00:00Z", "2026-03-13T00:00:00.000000Z"),
    ("@hourly", "2026-03-01T12:30:00Z", "2026-03-01T13:00:00.000000Z"),
    ("@weekly", "2026-03-02T12:30:00Z", "2026-03-08T00:00:00.000000Z"),
    ("@yearly", "2026-03-02T12:30:00Z", "2027-01-01T00:00:00.000000Z"),
  ]) func nextTime(_ cron: String, _ after: String, _ expected: String) throws {
    #expect(try Self.next(cron, after) == expected)
  }

  @Test func byTheClockOfATimeZone() throws {
    #expect(try Self.next("0 9 * * *", "2026-01-15T00:00:00Z", "Europe/Berlin") == "2026-01-15T08:00:00.000000Z")
    #expect(try Self.next("0 9 * * *", "2026-07-15T00:00:00Z", "Europe/Berlin") == "2026-07-15T07:00:00.000000Z")
    #expect(try Self.next("30 0 1 * *", "2026-01-15T00:00:00Z", "America/New_York") == "2026-02-01T05:30:00.000000Z")
  }

  @Test func clocksThatGoForwardLeaveTimesOut() throws {
    // 29 March 2026: 02:00 becomes 03:00 in Berlin.
    #expect(try Self.next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin") == "2026-03-30T00:30:00.000000Z")
  }

  @Test func clocksThatGoBackRunOnce() throws {
    // 25 October 2026: 03:00 becomes 02:00 in Berlin.
    #expect(try Self.next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin") == "2026-10-25T00:30:00.000000Z")
    #expect(try Self.next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin") == "2026-10-26T01:30:00.000000Z")
  }

  @Test func whatNeverComesIsNil() throws { #expect(try Self.next("0 0 30 2 *", "2026-03-01T00:00:00Z") == nil) }

  @Test(arguments: [
    "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *",
    "a * * * *", "1,,2 * * * *",
    "1-2-3 * * * *", "*/1/2 * * * *", "-1 * * * *", "@reboot", "* * * foo *",
  ]) func malformed(_ cron: String) { #expect(throws: CronError.self) { _ = try CronExpression(cron) } }
}
