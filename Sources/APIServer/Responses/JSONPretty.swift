/// JSON with line breaks and two spaces of indentation, as people at a terminal want it (kubernetes-wire N10). A long text is written in pieces.
struct JSONPretty: Sendable {
  /// The text, as far as it is written.
  private(set) var text: [UInt8] = []
  /// There would be more white space than ``limit`` leaves room for; it was left out.
  private(set) var isTooLong = false
  private let json: [UInt8]
  private let limit: Int
  private var position = 0
  private var depth = 0

  /// - Parameters:
  ///   - json: valid JSON without white space outside of strings, but for a line feed at the end, which is left out.
  ///   - limit: where the text ends to be worth its white space. Deep nesting can make hundreds of bytes of one.
  init(_ json: [UInt8], limit: Int = .max) {
    self.json = json
    self.limit = limit
    text.reserveCapacity(json.count * 2)
  }

  static func print(_ json: [UInt8]) -> [UInt8] {
    var pretty = JSONPretty(json)
    while pretty.advance() {}
    return pretty.text
  }

  /// Writes about so many bytes of the JSON; a string is never left in its middle.
  ///
  /// - Returns: false when all is written.
  mutating func advance(by count: Int = .max) -> Bool {
    let json = json
    return json.withUnsafeBufferPointer { json in
      let end = count < json.count - position ? position + count : json.count
      while position < end { token(json) }
      return position < json.count
    }
  }

  private mutating func token(_ json: UnsafeBufferPointer<UInt8>) {
    let byte = json[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""):
      let start = position - 1
      while json[position] != byte { position += json[position] == UInt8(ascii: "\\") ? 2 : 1 }
      position += 1
      text += json[start..<position]
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      text.append(byte)
      // An empty container stays on its line.
      guard json[position] != byte + 2 else { return }
      depth += 1
      newLine()
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      if json[position - 2] != byte - 2 {
        depth -= 1
        newLine()
      }
      text.append(byte)
    case UInt8(ascii: ","):
      text.append(byte)
      newLine()
    case UInt8(ascii: ":"): text += [byte, 0x20]
    case 0x0A: break
    default: text.append(byte)
    }
  }

  private mutating func newLine() {
    text.append(0x0A)
    guard depth * 2 <= limit - text.count else { return isTooLong = true }
    text += repeatElement(0x20, count: depth * 2)
  }
}
