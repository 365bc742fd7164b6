/// Writes Prometheus' text format, version 0.0.4.
package struct MetricsText {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package private(set) var bytes: [UInt8] = []
  private var name = ""

  package init() { bytes.reserveCapacity(64 << 10) }

  /// Begins a family; its samples must follow.
  package mutating func family(_ description: MetricDescription) {
    name = description.name
    bytes += "# HELP \(name) \(Self.escaped(description.help, quotes: false))\n# TYPE \(name) \(description.kind.rawValue)\n".utf8
  }

  /// - Parameter labels: as ``labels(_:_:)`` makes them.
  package mutating func sample(_ labels: String, _ value: UInt64) { sample("", labels, String(value)) }
  package mutating func sample(_ labels: String, _ value: Int) { sample("", labels, String(value)) }
  package mutating func sample(_ labels: String, _ value: Double) { sample("", labels, Self.number(value)) }

  package mutating func histogram(_ labels: String, _ histogram: Histogram) {
    let (counts, sum) = histogram.read()
    let separator = labels.isEmpty ? "" : ","
    var total: UInt64 = 0
    for (bound, count) in zip(histogram.scale.bounds, counts) {
      total += count
      sample("_bucket", "\(labels)\(separator)le=\"\(bound)\"", String(total))
    }
    total += counts[counts.count - 1]
    sample("_bucket", "\(labels)\(separator)le=\"+Inf\"", String(total))
    sample("_sum", labels, Self.number(sum))
    sample("_count", labels, String(total))
  }

  private mutating func sample(_ suffix: String, _ labels: String, _ value: String) {
    bytes += name.utf8
    bytes += suffix.utf8
    if !labels.isEmpty {
      bytes.append(UInt8(ascii: "{"))
      bytes += labels.utf8
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(UInt8(ascii: " "))
    bytes += value.utf8
    bytes.append(0x0A)
  }

  /// `a="x",b="y"`
  package static func labels(_ names: [String], _ values: [String]) -> String {
    zip(names, values).map { "\($0)=\"\(escaped($1, quotes: true))\"" }.joined(separator: ",")
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// As Go's `%g` writes it, since the bounds of buckets are compared as texts by recording rules: 0.005, 1, 150000, 1e+06, 3.1104e+07.
  package static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == 0 { return "0" }
    // Swift gives the shortest digits too, but puts the point elsewhere.
    let parts = "\(value.magnitude)".split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
    var digits = String(mantissa[0]) + fraction
    var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while digits.first == "0", digits.count > 1 {
      digits.removeFirst()
      point -= 1
    }
    while digits.last == "0", digits.count > 1 { digits.removeLast() }
    let sign = value < 0 ? "-" : ""
    let exponent = point - 1
    if exponent < -4 || exponent >= 6 {
      let tail = digits.count > 1 ? "." + digits.dropFirst() : ""
      let size = String(exponent.magnitude)
      return "\(sign)\(digits.prefix(1))\(tail)e\(exponent < 0 ? "-" : "+")\(size.count < 2 ? "0" : "")\(size)"
    }
    if point <= 0 { return "\(sign)0.\(String(repeating: "0", count: -point))\(digits)" }
    if digits.count <= point { return "\(sign)\(digits)\(String(repeating: "0", count: point - digits.count))" }
    return "\(sign)\(digits.prefix(point)).\(digits.dropFirst(point))"
  }
}
