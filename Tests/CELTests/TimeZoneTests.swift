import Foundation
import Testing

@testable import CEL

@Suite struct TimeZoneTests {
  /// A TZif of version 1 with one zone an hour east of UTC.
  static let anHourEast: [UInt8] =
    Array("TZif".utf8) + [UInt8](repeating: 0, count: 16) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]
    + [0, 0, 0x0E, 0x10, 0, 0] + Array("ONE\0".utf8)

  @Test(arguments: [
    "../../etc/passwd", "..", ".", "Europe/../Berlin", "/etc/passwd", "/", "Europe//Berlin", "Europe/", "/Europe/Berlin", "a.b",
    "Europe/Ber lin",
    "Europe/Berlin\0", "\0", "Zürich", "~root", "$HOME", "a\\b", "%2e%2e", "CON:", String(repeating: "a", count: 64),
  ])
  func noNames(_ name: String) throws {
    #expect(!TimeZoneDatabase.isName(name))
    #expect(throws: CELError.self) {
      try TimeZones.offset(of: name, at: 0) { _ in
        Issue.record("a file would be read for '\(name)'")
        return TimeZoneRules(Self.anHourEast)
      }
    }
    var environment = CELEnvironment()
    environment.declare("zone", .string)
    let program = try CELProgram("timestamp(0).getHours(zone)", environment: environment)
    let error = #expect(throws: CELError.self) { try program.evaluate(CELVariables(["zone": .string(name)])) }
    #expect(error?.message.contains("unknown time zone") == true)
  }

  @Test(arguments: [
    "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12", "US/Central", "CET", "GMT0", String(repeating: "a", count: 63),
  ])
  func names(_ name: String) { #expect(TimeZoneDatabase.isName(name)) }

  @Test(arguments: [("", 0), ("UTC", 0), ("Z", 0), ("+02:00", 7200), ("-09:30", -34200), ("02:00", 7200), ("-00:00", 0), ("+23:59", 86340)])
  func fixedOffsetsReadNothing(_ name: String, _ offset: Int) throws {
    let seconds = try TimeZones.offset(of: name, at: 0) { _ in
      Issue.record("a file would be read for '\(name)'")
      return nil
    }
    #expect(seconds == offset)
  }

  @Test(arguments: ["+24:00", "+02:60", "+2:00", "+0200", "++2:00", "+-2:00", "02:-1", "+02:00 "])
  func noFixedOffsets(_ name: String) { #expect(throws: CELError.self) { try TimeZones.offset(of: name, at: 0) } }

  @Test func readsOnlyWholeSmallFilesBelowItsFolder() throws {
    let outer = FileManager.default.temporaryDirectory.appendingPathComponent("zones-\(UUID().uuidString)")
    let folder = outer.appendingPathComponent("zoneinfo")
    try FileManager.default.createDirectory(at: folder.appendingPathComponent("Area"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: outer) }
    func write(_ bytes: [UInt8], _ name: String) throws { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
    try write(Self.anHourEast, "Area/One")
    try write(Self.anHourEast, "../outside")
    try write(Array("root:x:0:0".utf8), "text")
    try write([], "empty")
    try write(Self.anHourEast + [UInt8](repeating: 0, count: TimeZoneDatabase.maximumBytes), "large")
    let database = TimeZoneDatabase(folders: [outer.appendingPathComponent("none").path, folder.path])
    #expect(database.rules(of: "Area/One")?.offset(at: 0) == 3600)
    for name in ["../outside", "Area/../../outside", "text", "empty", "large", "Area", "none"] {
      #expect(database.rules(of: name) == nil, "\(name)")
    }
  }

  /// Every beginning of a file, and every single byte of it altered, is read or refused without a crash.
  @Test func damagedFiles() async {
    let footer = Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8)
    let second = Array("TZif2".utf8) + Self.anHourEast.dropFirst(5)
    let file = second + second + footer
    #expect(TimeZoneRules(file)?.offset(at: 1_772_366_400) == 3600)
    #expect(TimeZoneRules(file)?.offset(at: 1_782_907_200) == 7200)
    for count in 0..<file.count { _ = TimeZoneRules(Array(file.prefix(count)))?.offset(at: 0) }
    for place in file.indices {
      await Task.yield()
      for byte in UInt8.min...UInt8.max {
        var damaged = file
        damaged[place] = byte
        _ = TimeZoneRules(damaged)?.offset(at: 1_772_366_400)
      }
    }
    for rule in [
      "X999999999999999999", "X-1Y,M3.5.0", "X-1Y,M99.99.99,M10.5.0", "X-1Y,J999/999,0/-999", "<", "<X>", "X1:999999999999999999999",
    ] {
      _ = PosixZone(Array(rule.utf8)[...])?.offset(at: 1_772_366_400)
    }
  }
}
