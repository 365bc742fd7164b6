/// Ages and durations as kubectl's tables show them (kubernetes-wire T2).
package enum HumanDuration {
  /// `119s`, `5m3s`, `38m`, `5h7m`, `30h`, `3d4h`, `400d`, `3y20d`; `<invalid>` for more than a second into the future.
  package static func short(_ duration: Duration) -> String {
    let seconds = duration.components.seconds
    if seconds < -1 { return "<invalid>" }
    if seconds < 0 || duration < .zero { return "0s" }
    if seconds < 120 { return "\(seconds)s" }
    let minutes = seconds / 60
    if minutes < 10 { return two(minutes, "m", seconds % 60, "s") }
    if minutes < 180 { return "\(minutes)m" }
    let hours = minutes / 60
    if hours < 8 { return two(hours, "h", minutes % 60, "m") }
    if hours < 48 { return "\(hours)h" }
    let days = hours / 24
    if days < 8 { return two(days, "d", hours % 24, "h") }
    if days < 730 { return "\(days)d" }
    if days < 2920 { return two(days / 365, "y", days % 365, "d") }
    return "\(days / 365)y"
  }

  private static func two(_ a: Int64, _ unitA: String, _ b: Int64, _ unitB: String) -> String {
    b == 0 ? "\(a)\(unitA)" : "\(a)\(unitA)\(b)\(unitB)"
  }
}
