internal import JSON

/// A line of a step's output as the log file keeps it: `<microseconds> <attempt> <step> <text>`.
struct LogLine {
  var time: Timestamp
  var attempt: Int
  var step: Int
  var text: ArraySlice<UInt8>

  static func encoded(time: Timestamp, attempt: Int, step: Int, text: some Sequence<UInt8>) -> [UInt8] {
    var bytes = Array("\(time.microseconds) \(attempt) \(step) ".utf8)
    bytes.append(contentsOf: text)
    bytes.append(0x0A)
    return bytes
  }

  /// - Parameter line: without its line feed.
  init?(_ line: ArraySlice<UInt8>) {
    var rest = line
    func number() -> Int64? {
      guard let space = rest.firstIndex(of: 0x20), let value = Int64(String(decoding: rest[..<space], as: UTF8.self)) else { return nil }
      rest = rest[(space + 1)...]
      return value
    }
    guard let time = number(), let attempt = number(), let step = number() else { return nil }
    self.time = Timestamp(microseconds: time)
    self.attempt = Int(attempt)
    self.step = Int(step)
    text = rest
  }
}
