/// A span of time in nanoseconds: about 292 years to either side.
public struct CELDuration: Sendable, Hashable, Comparable {
  public let nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// nil when the span is out of range.
  public init?(seconds: Int64, nanoseconds: Int64 = 0) {
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = scaled.addingReportingOverflow(nanoseconds)
    guard !overflow, !overflow2 else { return nil }
    self.nanoseconds = sum
  }

  /// Go's spelling: numbers with units h, m, s, ms, us, µs, ns in a row, such as `1h30m`, `-1.5s`, `0`. nil when it is not, or out of range.
  public init?(parsing text: String) {
    var bytes = Array(text.utf8)[...]
    var negative = false
    if let sign = bytes.first, sign == 0x2D || sign == 0x2B {
      negative = sign == 0x2D
      bytes.removeFirst()
    }
    if bytes.elementsEqual("0".utf8) {
      nanoseconds = 0
      return
    }
    guard !bytes.isEmpty else { return nil }
    // Magnitudes up to 2^63, so that the smallest value can be read.
    var total: UInt64 = 0
    while !bytes.isEmpty {
      var whole: UInt64 = 0
      var fraction: UInt64 = 0
      var scale = 1.0
      var digits = 0
      while let byte = bytes.first, byte &- 0x30 < 10 {
        guard whole < (1 << 63) / 10 + 1 else { return nil }
        whole = whole * 10 + UInt64(byte - 0x30)
        digits += 1
        bytes.removeFirst()
      }
      if bytes.first == 0x2E {
        bytes.removeFirst()
        while let byte = bytes.first, byte &- 0x30 < 10 {
          if scale < 1e18 {
            fraction = fraction * 10 + UInt64(byte - 0x30)
            scale *= 10
          }
          digits += 1
          bytes.removeFirst()
        }
      }
      guard digits > 0 else { return nil }
      let unit: UInt64
      let end = bytes.firstIndex { $0 == 0x2E || $0 &- 0x30 < 10 } ?? bytes.endIndex
      switch String(decoding: bytes[..<end], as: UTF8.self) {
      case "ns": unit = 1
      case "us", "µs", "μs": unit = 1000
      case "ms": unit = 1_000_000
      case "s": unit = 1_000_000_000
      case "m": unit = 60_000_000_000
      case "h": unit = 3_600_000_000_000
      default: return nil
      }
      bytes = bytes[end...]
      let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
      guard !overflow, product <= 1 << 63 else { return nil }
      // Each at most 2^63, so the sums stay below 2^64 only one by one.
      guard total <= (1 << 63) - product else { return nil }
      total += product
      if fraction > 0 { total += UInt64(Double(fraction) * (Double(unit) / scale)) }
      guard total <= 1 << 63 else { return nil }
    }
    if negative {
      nanoseconds = total == 1 << 63 ? .min : -Int64(total)
    } else {
      guard total < 1 << 63 else { return nil }
      nanoseconds = Int64(total)
    }
  }

  /// Seconds with as many decimals as needed: `3.5s`, `-0.000000001s`.
  public var text: String {
    let magnitude = nanoseconds.magnitude
    var out = nanoseconds < 0 ? "-" : ""
    out += String(magnitude / 1_000_000_000)
    out += fractionText(nanoseconds: magnitude % 1_000_000_000)
    return out + "s"
  }

  public static func < (a: CELDuration, b: CELDuration) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// A point and digits without trailing zeros; empty for zero.
func fractionText(nanoseconds: UInt64) -> String {
  guard nanoseconds > 0 else { return "" }
  let digits = String(nanoseconds)
  var text = String(repeating: "0", count: 9 - digits.count) + digits
  while text.last == "0" { text.removeLast() }
  return "." + text
}
