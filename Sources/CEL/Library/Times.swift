extension Library {
  static let times: [CELFunction] =
    [
      accessor("getFullYear") { $0.year }, accessor("getMonth") { $0.month - 1 }, accessor("getDayOfMonth") { $0.day - 1 },
      accessor("getDate") { $0.day }, accessor("getDayOfWeek") { $0.weekday }, accessor("getDayOfYear") { $0.yearday },
      accessor("getHours") { $0.hour }, accessor("getMinutes") { $0.minute }, accessor("getSeconds") { $0.second },
    ].flatMap { $0 } + [
      .unary("getMilliseconds", member: true, .timestamp, .int) { value throws(CELError) in .int(Int64(time(value).nanoseconds / 1_000_000))
      },
      .binary("getMilliseconds", member: true, .timestamp, .string, .int) { value, zone throws(CELError) in
        _ = try TimeZones.offset(of: text(zone), at: time(value).seconds)
        return .int(Int64(time(value).nanoseconds / 1_000_000))
      },
      .unary("getHours", member: true, .duration, .int) { value throws(CELError) in .int(span(value) / 3_600_000_000_000) },
      .unary("getMinutes", member: true, .duration, .int) { value throws(CELError) in .int(span(value) / 60_000_000_000) },
      .unary("getSeconds", member: true, .duration, .int) { value throws(CELError) in .int(span(value) / 1_000_000_000) },
      .unary("getMilliseconds", member: true, .duration, .int) { value throws(CELError) in .int(span(value) / 1_000_000 % 1000) },
    ]

  private static func time(_ value: CELValue) -> CELTimestamp {
    if case .timestamp(let time) = value { time } else { CELTimestamp(seconds: 0)! }
  }

  private static func span(_ value: CELValue) -> Int64 {
    if case .duration(let span) = value { span.nanoseconds } else { 0 }
  }

  private static func accessor(_ name: String, _ part: @escaping @Sendable (Civil) -> Int) -> [CELFunction] {
    [
      .unary(name, member: true, .timestamp, .int) { value throws(CELError) in .int(Int64(part(Civil(seconds: time(value).seconds)))) },
      .binary(name, member: true, .timestamp, .string, .int) { value, zone throws(CELError) in
        let seconds = time(value).seconds
        return .int(Int64(part(Civil(seconds: seconds + Int64(try TimeZones.offset(of: text(zone), at: seconds))))))
      },
    ]
  }
}
