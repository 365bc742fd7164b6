internal import JSON

/// A cron expression of five fields (minute, hour, day of month, month, day of week), or one of `@hourly`, `@daily`, `@midnight`,
/// `@weekly`, `@monthly`, `@yearly`, `@annually`.
///
/// Where day of month and day of week are both restricted, a day matches when either does (the rule of Vixie cron and of Kubernetes).
struct CronExpression: Hashable, Sendable {
  private var minutes, hours, daysOfMonth, months, weekdays: CronField

  /// - Throws: ``CronError``.
  init(_ text: String) throws(CronError) {
    let macros = [
      "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
      "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]
    if text.hasPrefix("@"), macros[text.lowercased()] == nil {
      throw CronError(message: "\"\(text)\" is unknown; the known ones are \(macros.keys.sorted().joined(separator: ", "))")
    }
    let fields = (macros[text.lowercased()] ?? text).split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard fields.count == 5 else {
      throw CronError(message: "\(fields.count) fields; five are wanted: minute, hour, day of month, month, day of week")
    }
    minutes = try CronField(fields[0], field: "minute", range: 0...59)
    hours = try CronField(fields[1], field: "hour", range: 0...23)
    daysOfMonth = try CronField(fields[2], field: "day of month", range: 1...31)
    months = try CronField(
      fields[3], field: "month", range: 1...12,
      names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
    weekdays = try CronField(
      fields[4], field: "day of week", range: 0...6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], wraps: true)
  }

  /// The first matching moment after `moment`, by the wall clock of `zone`; nil when none comes within nine years (30 February).
  ///
  /// Each wall-clock time counts once: where clocks go back the first passing counts, where they go forward the times that don't
  /// exist are left out.
  func next(after moment: Timestamp, in zone: TimeZoneRules) -> Timestamp? {
    let local = moment.seconds + Int64(zone.offset(at: moment.seconds))
    let (startDay, second) = local.dividedDown(by: 86_400)
    var minuteOfDay = Int(second) / 60
    for day in startDay..<(startDay + 366 * 9) {
      if matches(day: day) {
        var hour = minuteOfDay / 60
        var minute = minuteOfDay % 60
        while hour < 24, let matchingHour = hours.first(from: hour) {
          if matchingHour > hour { minute = 0 }
          hour = matchingHour
          while minute < 60, let matchingMinute = minutes.first(from: minute) {
            let wall = day * 86_400 + Int64(hour * 3600 + matchingMinute * 60)
            if let found = zone.firstMoment(ofWallClock: wall), found > moment.seconds { return Timestamp(seconds: found) }
            minute = matchingMinute + 1
          }
          hour += 1
          minute = 0
        }
      }
      minuteOfDay = 0
    }
    return nil
  }

  private func matches(day: Int64) -> Bool {
    let date = CivilDate(daysSince1970: day)
    guard months.contains(date.month) else { return false }
    let byMonth = daysOfMonth.contains(date.day)
    let byWeek = weekdays.contains(CivilDate.weekday(daysSince1970: day))
    return daysOfMonth.isWildcard || weekdays.isWildcard ? byMonth && byWeek : byMonth || byWeek
  }
}
