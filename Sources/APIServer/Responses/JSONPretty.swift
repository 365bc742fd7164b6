/// JSON with line breaks and two spaces of indentation, as people at a terminal want it (kubernetes-wire N10).
enum JSONPretty {
  /// - Parameter compact: valid JSON without white space outside of strings.
  static func print(_ compact: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(compact.count * 2)
    var depth = 0
    var inString = false
    var escaped = false
    func newLine() {
      out.append(0x0A)
      out.append(contentsOf: repeatElement(0x20, count: depth * 2))
    }
    for (index, byte) in compact.enumerated() {
      if inString {
        out.append(byte)
        if escaped { escaped = false } else if byte == 0x5C { escaped = true } else if byte == 0x22 { inString = false }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""):
        inString = true
        out.append(byte)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        out.append(byte)
        // An empty container stays on its line.
        guard index + 1 < compact.count, compact[index + 1] != byte + 2 else { continue }
        depth += 1
        newLine()
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if compact[index - 1] != byte - 2 {
          depth -= 1
          newLine()
        }
        out.append(byte)
      case UInt8(ascii: ","):
        out.append(byte)
        newLine()
      case UInt8(ascii: ":"): out += [byte, 0x20]
      default: out.append(byte)
      }
    }
    return out
  }
}
